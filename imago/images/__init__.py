"""What is done to the pixels of an image: size and colour, framing, augmentation."""
