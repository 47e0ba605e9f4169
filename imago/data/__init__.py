"""Images on their way from a data set to a model: arrays on disk, sizes, splits, augmentation."""
