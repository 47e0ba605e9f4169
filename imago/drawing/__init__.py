"""What figures are drawn with: a canvas in pixels, sheets of images, choices of examples."""
