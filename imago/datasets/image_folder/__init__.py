"""The layout of a zip with a folder of photos for each class."""
