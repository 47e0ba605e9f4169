"""Images on their way from a data set to a model, on disk: arrays, where they come from, shards."""
