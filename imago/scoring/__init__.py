"""How good a model is, from its probabilities on a split."""

import os

# Before pandas brings Arrow, which reads it once: its own allocator keeps what a table needed while
# it was written, a third of the memory of `evaluate` beyond the libraries.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
