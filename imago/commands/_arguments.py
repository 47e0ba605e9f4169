"""Kinds of arguments that several commands take."""

import argparse


def positive(text: str) -> int:
    """Read a whole number of 1 or more."""
    number = int(text)
    if number < 1:
        message = f"must be 1 or more, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number


def probability(text: str) -> float:
    """Read a number from 0 to 1."""
    number = float(text)
    if not 0 <= number <= 1:
        message = f"must be 0 to 1, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number
