"""What the command `imago predict` is made of."""
