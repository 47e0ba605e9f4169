"""Searches for hyperparameters: what is tried, its runs as DVC experiments, and their ranking."""
