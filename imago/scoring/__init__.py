"""How good a model is, from its probabilities on a split."""
