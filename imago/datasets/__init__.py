"""The layouts in which data sets are published, one module each, found by name."""
