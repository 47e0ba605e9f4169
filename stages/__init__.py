"""The stages of dvc.yaml, one script each: read, call imago, write."""

import sys

from imago.core import boundary, resources, running

if sys.argv[0] == "-m":  # as Python has it while it looks for the stage that it is to run
    boundary.guard_imports(" ".join(sys.orig_argv[-len(sys.argv) :]).removeprefix("stages."))
    resources.demand()
    running.end_with_dvc()
