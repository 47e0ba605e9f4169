"""A page on which anyone tries the exported models, and a REST endpoint for programs.

Both run from `exports/` alone, without TensorFlow, keep what visitors send in memory only, and
call no other host.
"""
