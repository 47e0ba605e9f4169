"""The stages of dvc.yaml, one script each: read, call imago, write."""
