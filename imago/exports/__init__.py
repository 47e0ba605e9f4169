"""Trained models in formats that run without Keras: writing, running and comparing them."""
