"""The repository that imago is used in: what is added, missing, damaged or out of date."""
