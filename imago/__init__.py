"""Reproducible image classification with TensorFlow/Keras, run as a DVC pipeline."""
