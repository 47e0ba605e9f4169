"""What tests of faults share; they try a bounded part by default, and all under `make faults`."""

import os

FULL = os.environ.get("IMAGO_FAULTS") == "full"


def times(bounded: int, full: int) -> int:
    """How often to try."""
    return full if FULL else bounded


OFFLINE = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        address = arguments[1] if event == "socket.connect" else arguments
        if not isinstance(address, (str, bytes)):  # which is that of a socket of this machine
            raise SystemExit(f"the network is asked: {event} {address}")

sys.addaudithook(refuse)
"""
"""Code that ends a process which asks the network for anything, through Python."""
