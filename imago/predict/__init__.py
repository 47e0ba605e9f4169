"""What the command `imago predict` is made of, and `Predictor`, on which it stands."""
