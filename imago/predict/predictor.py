"""Classes of images by an exported model, without TensorFlow."""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import numbers
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imago.core.errors import DataError, ImageError
from imago.images.forms import Form, convert
from imago.images.framing import Framing, Polarity, framed, with_polarity
from imago.photos import decoding, image_files
from imago.photos.decoding import Shrinking
from imago.runtimes import calls, model_json
from imago.runtimes.calls import Call

GREATEST_BYTES = 2**31
"""Of a model's file: neither format can have more."""
GREATEST_PIXELS = 100_000_000
"""Of an image, width times height: beyond it, a file is more likely an attack than a photo."""
CHANNELS = (1, 3, 4)
_RUNTIMES = {".tflite": "imago.runtimes.litert", ".onnx": "imago.runtimes.onnx_model"}
_REMEDY = "run the stage export, or copy all that it wrote"
_AGAIN = "run the stage export again, or copy anew all that it wrote"
_PREFERRED = ("model.tflite", "model.onnx", "model_fp16.tflite", "model_int8.tflite")

_BYTES = bytes | bytearray | memoryview
_ONE = str | os.PathLike | _BYTES | Image.Image  # type: ignore[type-arg]
"""What is an image and no list of them, beside arrays."""

Reason = Literal["improbable", "unlike"]
"""Why an answer is none: the probability is too small, or the image unlike the training images."""

AnyImage = str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[np.uint8] | Image.Image
"""A path, the bytes of an image file, an array of (H, W) or (H, W, C) uint8, 0-255, where C is 1,
grayscale, 3, RGB, or 4, RGB and opacity; or an image of Pillow."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of an image.

    Attributes:
        label: The most probable class.
        probability: Its probability, 0 to 1.
        probabilities: Of every class, in the model's order.
        distance: To the training images, 0 to 2; None where the model tells none.
        unsure: Why this is no answer to rely on; None where it is one, as far as the model knows.
    """

    label: str
    probability: float
    probabilities: dict[str, float]
    distance: float | None = None
    unsure: Reason | None = None

    def top(self, k: int) -> list[tuple[str, float]]:
        """Return the k most probable classes with their probabilities, the most probable first."""
        return sorted(self.probabilities.items(), key=lambda item: -item[1])[:k]


@dataclass(frozen=True)
class Elsewhere:
    """A predictor that processes of a cluster load for themselves.

    Attributes:
        load: Gives it, to run on one thread; can be pickled.
        sha256: Of the model's file and how it is asked.
    """

    load: Callable[[], Predictor]
    sha256: str


class Predictor:
    """Runs an exported model; threads may share one.

    Attributes:
        classes: Their names, in the order of the probabilities.
        content: Of the model's file.
        description: What model.json says of the model.
        lacks_distance: Whether the file does not tell what one of the limits is of, as that of 8
            bits does not: no image is then found to be unlike the training images.
    """

    def __init__(
        self,
        path: str | Path,
        threads: int | None = None,
        *,
        polarity: Polarity = "auto",
        find_subject: bool = True,
        threshold: float | None = None,
    ) -> None:
        """Load a model.

        Args:
            path: The folder exports/<experiment>, or a .tflite or .onnx file in such a folder.
            threads: That the model runs on. None: one for each core.
            polarity: For models of light things on dark ground, or dark on light: whether images
                are inverted. auto: where their border is not like that ground.
            find_subject: For such models: whether images of another size than the model's are cut
                to their subject, which is put where the training images have theirs.
            threshold: Probability under which a prediction is unsure. None: as model.json says;
                0: no prediction is unsure, for no reason.

        Raises:
            DataError: There is no model that can be run here, or no description of it.
            ValueError: threads, polarity or threshold is none that there can be.
        """
        _check_asked(threads, polarity, threshold)
        self.path = _model_file(Path(path))
        self.description = model_json.read_export(self.path.parent)
        self.content = _read(self.path, self.description)
        self.classes = self.description.classes
        self.unsure_below, beyond = _limits(self.description, threshold)
        self.tells_distance = _tells_distance(self.description, self.path.name)
        self.unsure_beyond = beyond if self.tells_distance else None
        self.lacks_distance = beyond is not None and not self.tells_distance
        wanted = self.description.input
        self.form = Form(tuple(wanted["shape"][1:]), wanted["fit"], wanted["interpolation"])
        self.framing = Framing(**known) if (known := wanted["framing"]) else None
        self.polarity, self.find_subject, self.threshold = polarity, find_subject, threshold
        self._run = self._load(threads)
        self._lock = threading.Lock()

    @property
    def may_be_unsure(self) -> bool:
        """Whether any prediction may be unsure."""
        return self.unsure_below > 0 or self.unsure_beyond is not None

    def twin(self, threads: int | None = None) -> Self:
        """Return a predictor of the same model, whatever has become of its file, to run beside."""
        other = copy.copy(self)
        other._run, other._lock = self._load(threads), threading.Lock()
        return other

    def elsewhere(self) -> Elsewhere:
        """Return the same predictor for a cluster, as long as its file is there."""
        load = functools.partial(
            type(self),
            self.path.absolute(),
            1,
            polarity=self.polarity,
            find_subject=self.find_subject,
            threshold=self.threshold,
        )
        asked = repr(load.keywords).encode()
        return Elsewhere(load, hashlib.sha256(self.content + asked).hexdigest())

    def _load(self, threads: int | None) -> Call:
        runtime = importlib.import_module(_RUNTIMES[self.path.suffix])  # only the one needed
        try:
            run: Call = runtime.load(self.content, threads)
            shape, classes = self.form.shape, len(self.classes)
            calls.check(run, shape, classes, with_distance=self.tells_distance)
        except ValueError as error:
            message = f"{self.path}: {error}; {_AGAIN}"
            raise DataError(message) from error
        return run

    def predict(self, images: Iterable[AnyImage]) -> list[Prediction]:
        """Classify images.

        Raises:
            ImageError: An image cannot be read; the message names it. Or it is one and no list.
        """
        if isinstance(images, _ONE) or _is_one(images):
            message = "images must be several, such as a list, got one; put it into a list"
            raise ImageError(message)
        pixels = [self.pixels(image) for image in images]
        return self.predictions(np.stack(pixels)) if pixels else []

    def predictions(self, pixels: NDArray[np.uint8]) -> list[Prediction]:
        """Classify images that are as the model takes them.

        Args:
            pixels: (N, H, W, C) uint8, 0-255, as `pixels` gives them.

        Raises:
            ImageError: They are of another shape or type.
        """
        probabilities, distances = self._outputs(pixels)
        far = [None] * len(pixels) if distances is None else distances.tolist()
        return [self._prediction(*each) for each in zip(probabilities, far, strict=True)]

    def _prediction(self, row: NDArray[np.float32], distance: float | None) -> Prediction:
        probability, beyond = float(row.max()), self.unsure_beyond
        reason: Reason | None = None
        if beyond is not None and distance is not None and distance > beyond:
            reason = "unlike"
        elif probability < self.unsure_below:
            reason = "improbable"
        label = self.classes[row.argmax()]
        return Prediction(label, probability, self._named(row), distance, reason)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the model.

        Args:
            pixels: (N, H, W, C) uint8, 0-255, as `pixels` gives them.

        Returns:
            (N, K) float32, in the order of `classes`.

        Raises:
            ImageError: The pixels are of another shape or type.
        """
        return self._outputs(pixels).probabilities

    def _outputs(self, pixels: NDArray[np.uint8]) -> calls.Outputs:
        pixels = np.asarray(pixels)
        if pixels.dtype != np.uint8 or pixels.shape[1:] != self.form.shape:
            wanted, given = ("×".join(map(str, shape)) for shape in (self.form.shape, pixels.shape))
            message = f"pixels must be uint8 of N×{wanted}, got {pixels.dtype} of {given or 'none'}"
            raise ImageError(message)
        if not len(pixels):
            return calls.Outputs(np.zeros((0, len(self.classes)), np.float32), None)
        with self._lock:
            found = self._run(np.ascontiguousarray(pixels))
        return calls.apart(found, len(self.classes))

    def pixels(self, image: AnyImage, name: str | None = None) -> NDArray[np.uint8]:
        """Decode an image, and bring it to the model's size and colour as the training data were.

        Args:
            image: What to decode.
            name: Of the image in errors; None for its path, or "image".

        Returns:
            (H, W, C) uint8, 0-255.

        Raises:
            ImageError: It cannot be read.
        """
        is_framed = self.framing is not None  # which looks for a subject in the whole image
        shrinking = decoding.whole if is_framed else self.form.shrinking
        decoded = decode(image, name=name, shrinking=shrinking)
        if self.framing is None:
            return convert(decoded, self.form)
        gray = convert(decoded, Form((*decoded.shape[:2], 1), "stretch", self.form.interpolation))
        alike = with_polarity(gray, self.framing.ground, self.polarity)
        found = None
        if self.find_subject and gray.shape != self.form.shape:
            found = framed(alike, self.framing, self.form)
        return convert(alike, self.form) if found is None else found

    def _named(self, row: NDArray[np.float32]) -> dict[str, float]:
        return dict(zip(self.classes, row.tolist(), strict=True))


def _check_asked(threads: int | None, polarity: str, threshold: float | None) -> None:
    if threads is not None and not (isinstance(threads, numbers.Integral) and threads >= 1):
        message = f"threads must be a number from 1 on, or None for all cores, got {threads!r}"
        raise ValueError(message)
    if polarity not in (known := get_args(Polarity)):
        message = f"polarity must be one of {', '.join(known)}, got {polarity!r}"
        raise ValueError(message)
    if threshold is not None and not (isinstance(threshold, numbers.Real) and 0 <= threshold <= 1):
        message = f"threshold must be a probability, 0 to 1, or None, got {threshold!r}"
        raise ValueError(message)


def _limits(
    description: model_json.ExportDescription, threshold: float | None
) -> tuple[float, float | None]:
    """Return the least probability and the greatest distance of a prediction to rely on."""
    said = description.unsure or {}
    if threshold == 0:
        return 0.0, None
    least = said.get("probability") or 0.0
    return least if threshold is None else threshold, said.get("distance")


def _tells_distance(description: model_json.ExportDescription, file: str) -> bool:
    """Say whether a file of the model has a second output."""
    formats = description.formats.values()
    return any(len(said.get("outputs", ())) > 1 for said in formats if said["file"] == file)


def decode(
    image: AnyImage,
    greatest_pixels: int = GREATEST_PIXELS,
    name: str | None = None,
    shrinking: Shrinking = decoding.whole,
) -> NDArray[np.uint8]:
    """Decode an image, upright; what is transparent is laid on white.

    Args:
        image: What to decode.
        greatest_pixels: It may have.
        name: Of the image in errors; None for its path, or "image".
        shrinking: How much smaller it will be made; a file is decoded as far as that needs.

    Returns:
        (H, W, C) uint8, 0-255; C is 1, grayscale, or 3, RGB.

    Raises:
        ImageError: It cannot be read, or has more pixels.
    """
    where = name or (os.fspath(image) if isinstance(image, str | os.PathLike) else "image")
    try:
        if isinstance(image, np.ndarray):
            return _from_array(image)
        if isinstance(image, Image.Image):
            return decoding.from_pillow(image, greatest_pixels)
        if isinstance(image, str | os.PathLike):
            content = image_files.read(os.fspath(image))
        elif isinstance(image, _BYTES):
            content = bytes(image)
        else:
            kinds = "a path, the bytes of an image file, an array of uint8 or an image of Pillow"
            message = f"{where}: must be {kinds}, got {type(image).__name__}"
            raise ImageError(message)
        return decoding.decode_for(content, greatest_pixels, shrinking).pixels
    except decoding.UnreadableError as error:
        message = f"{where}: {error}"
        raise ImageError(message) from error
    except OSError as error:
        message = f"{where}: {error.strerror or error}"
        raise ImageError(message) from error


def _is_one(images: Iterable[AnyImage]) -> bool:
    """Tell whether an array is an image, by itself or by its number of channels."""
    if not isinstance(images, np.ndarray):
        return False
    return images.ndim == 2 or (images.ndim == 3 and images.shape[-1] in CHANNELS)


def _from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    image = array[..., np.newaxis] if array.ndim == 2 else array
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] not in CHANNELS:
        found = f"{array.dtype} {'×'.join(map(str, array.shape))}"
        message = f"image: must be uint8 of H×W, H×W×1, H×W×3 or H×W×4, got {found}"
        raise ImageError(message)
    if not image.size:
        message = "image: must have one or more pixels, got none"
        raise ImageError(message)
    return decode(Image.fromarray(image)) if image.shape[-1] == 4 else image


def _model_file(path: Path) -> Path:
    if not path.exists():
        message = f"{path}: not found; {_REMEDY}"
        raise DataError(message)
    if path.is_dir():
        found = next((path / name for name in _PREFERRED if (path / name).is_file()), None)
        if found is None:
            is_within = (path.parent / model_json.FILE).is_file()  # as TensorFlow's own format is
            remedy = f"name {path.parent}" if is_within else _REMEDY
            message = f"{path}: must hold {' or '.join(_PREFERRED)}; {remedy}"
            raise DataError(message)
        return found
    if path.suffix not in _RUNTIMES or not path.is_file():
        message = f"{path}: must be a folder or a {' or '.join(_RUNTIMES)} file"
        raise DataError(message)
    return path


def _read(path: Path, description: model_json.ExportDescription) -> bytes:
    """Return a model's bytes, which must be those that the stage export has described."""
    if (size := path.stat().st_size) > GREATEST_BYTES:
        message = f"{path}: must have at most {GREATEST_BYTES:,} bytes, got {size:,}; {_AGAIN}"
        raise DataError(message)
    said, content = path.parent / model_json.FILE, path.read_bytes()
    of_file = {one["file"]: one["sha256"] for one in description.formats.values()}
    if path.name not in of_file:
        message = f"{path}: must be a file that {said} names, {', '.join(of_file)}; rename it back"
        raise DataError(message)
    found = hashlib.sha256(content).hexdigest()
    if found != of_file[path.name]:
        message = (
            f"{path}: must have the sha256 that {said} says, {of_file[path.name]}, got {found}; it "
            f"is damaged, or of another model: {_AGAIN}"
        )
        raise DataError(message)
    return content
