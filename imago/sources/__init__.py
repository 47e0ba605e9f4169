"""Where published files come from: mirror, http(s), pip and apt packages, local paths."""
