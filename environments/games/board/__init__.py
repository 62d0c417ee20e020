"""Board games of OpenSpiel whose moves are cells, behind one adapter."""
