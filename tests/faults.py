"""How hard the tests of faults try: a bounded part by default, all of it under `make faults`."""

import os

FULL = os.environ.get("IMAGO_FAULTS") == "full"


def times(bounded: int, full: int) -> int:
    """How often to try."""
    return full if FULL else bounded
