"""The layout of MNIST."""
