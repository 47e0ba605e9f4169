"""The architectures, one module each, found by name.

A module holds `Settings`, the keys that an experiment's `train` section has for it, and `build`,
which gives the untrained Keras model.
"""
