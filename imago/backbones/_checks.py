"""What every net asks of images and of its file of weights."""

from pathlib import Path

from imago.core import sections
from imago.core.errors import DataError, ParamsError


def check(name: str, image_shape: tuple[int, ...], weights: Path) -> None:
    """Check what a net is to be built for.

    Raises:
        DataError: The weights are missing.
        ParamsError: The images are too small, or not RGB.
    """
    smallest = sections.SMALLEST_BACKBONE_PX
    height, width, channels = image_shape
    if channels != 3 or min(height, width) < smallest:
        message = (
            f"{name}: images must be RGB of {smallest}×{smallest} px or more, got "
            f"{height}×{width}×{channels}; change image_size_px or color of the variant"
        )
        raise ParamsError(message)
    if not weights.is_file():
        message = f"{weights}: not found; run the stage that fetches it"
        raise DataError(message)
