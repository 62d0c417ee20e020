"""The residual network that DRC is compared with (Guez et al. 2019), feed-forward."""
