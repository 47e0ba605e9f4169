"""Where the bytes of data sets come from: mirror, http(s), pip and apt packages, local paths."""
