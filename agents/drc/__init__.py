"""DRC(D, N): deep repeated ConvLSTM, model-free planning (Guez et al. 2019, 1901.03559)."""
