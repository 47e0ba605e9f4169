"""What the stage prepare does: splits, conversion, augmented copies."""
