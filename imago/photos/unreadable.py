"""Why a file is not taken for an image."""

from imago.core.errors import ImagoError

GREATEST_SIDE_PX = 65_535
"""The most that JPEG and GIF can say; decoders and resizers are not made for longer sides."""
TOO_MANY_PIXELS = "too many pixels"
"""Begins the reason against an image that is larger than was asked for."""


class UnreadableError(ImagoError, ValueError):
    """A file's content cannot be decoded; the message is the reason alone."""


def check_size(width: int, height: int, greatest_pixels: int) -> None:
    """Check that an image is not larger than was asked for, and has sides. UnreadableError."""
    if width * height > greatest_pixels:
        reason = f"{TOO_MANY_PIXELS}: {width}×{height}, more than {greatest_pixels:,}"
        raise UnreadableError(reason)
    if not 1 <= min(width, height) <= max(width, height) <= GREATEST_SIDE_PX:
        reason = f"{width}×{height} pixels, a side must have 1 to {GREATEST_SIDE_PX:,}"
        raise UnreadableError(reason)
