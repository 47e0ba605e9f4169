"""The bodies of requests that are in memory at a time, all together."""

from collections.abc import Iterator
from contextlib import contextmanager

from app import limits


class Bodies:
    """Counts what all bodies hold; of one thread."""

    def __init__(self) -> None:
        self.bytes = 0

    @contextmanager
    def one(self) -> Iterator["Body"]:
        """Yield a body, whose bytes are free again afterwards."""
        body = Body(self)
        try:
            yield body
        finally:
            self.bytes -= body.bytes


class Body:
    """One of them."""

    def __init__(self, bodies: Bodies) -> None:
        self.bytes, self._bodies = 0, bodies

    def take(self, count: int) -> bool:
        """Count more bytes, and tell whether there is room for them."""
        has_room = self._bodies.bytes + count <= limits.BODIES_BYTES
        if has_room:
            self.bytes += count
            self._bodies.bytes += count
        return has_room
