"""Kinds of arguments that several commands take."""

import argparse
import contextlib

GREATEST_PORT = 65535


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    with contextlib.suppress(ValueError):
        if (number := int(text)) >= 1:
            return number
    message = f"must be 1 or more, got {text}"
    raise argparse.ArgumentTypeError(message)


def port(text: str) -> int:
    """Read the number of a port, 0 for any that is free."""
    with contextlib.suppress(ValueError):
        if 0 <= (number := int(text)) <= GREATEST_PORT:
            return number
    message = f"must be 0 to {GREATEST_PORT}, got {text}"
    raise argparse.ArgumentTypeError(message)


def probability(text: str) -> float:
    """Read a number from 0 to 1."""
    with contextlib.suppress(ValueError):
        if 0 <= (number := float(text)) <= 1:
            return number
    message = f"must be 0 to 1, got {text}"
    raise argparse.ArgumentTypeError(message)
