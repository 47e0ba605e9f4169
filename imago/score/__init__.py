"""What the command `imago score` is made of, which asks a model about photos of known classes."""
