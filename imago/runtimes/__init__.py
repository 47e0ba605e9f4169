"""Trained models on disk and in the runtimes that they are run by."""
