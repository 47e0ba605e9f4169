"""Reproducible image classification: what is no stage of the pipeline.

A command is a module here, found by its name. Its docstring is its help, `configure` adds its
arguments to a parser, and `run` takes the parsed arguments and returns an exit code.
"""
