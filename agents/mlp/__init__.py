"""A multilayer perceptron: for vectors, with small boards and cameras beside them."""
