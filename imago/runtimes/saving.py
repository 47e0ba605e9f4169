"""Trained models on disk: byte-equal files for equal models, class names beside the weights."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from imago.core import files
from imago.core.errors import DataError
from imago.runtimes import calls, certainty, inference, model_json, trained
from imago.runtimes.calls import first_line

GREATEST_DIFFERENCE = 1e-4
"""Between the features of a backbone in Keras and in LiteRT, as a share of the greatest."""
COMPARED = 8
"""Images by which the two are compared."""
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold


def write(
    folder: Path,
    model: keras.Model,
    classes: tuple[str, ...],
    known: certainty.Certainty | None = None,
) -> None:
    """Write a model for Keras and for LiteRT, and its class names; see `imago.runtimes.trained`.

    Args:
        folder: Replaced as a whole.
        model: From uint8 images to probabilities, (N, K) float32.
        classes: K names, in the order of the probabilities.
        known: How far it may be believed, where that was asked for.
    """
    with files.replacing(folder) as temporary:
        temporary.mkdir()
        write_model(temporary / trained.KERAS_FILE, model)
        (temporary / trained.LITERT_FILE).write_bytes(inference.to_litert(model))
        if known:
            certainty.write(temporary, known)
        described = model_json.TrainedDescription(
            classes=classes,
            parameters=model.count_params(),
            files={path.name: model_json.digest(path) for path in sorted(temporary.iterdir())},
            temperature=known.temperature if known else None,
        )
        model_json.write(temporary, described)


def write_backbone(folder: Path, model: keras.Model) -> float:
    """Write a frozen backbone for Keras and for LiteRT; see `imago.runtimes.frozen`.

    Args:
        folder: Replaced as a whole.
        model: From uint8 images, (N, H, W, C), to features, (N, F) float32.

    Returns:
        The greatest difference between the two, as a share of the greatest feature.

    Raises:
        DataError: They differ by more than GREATEST_DIFFERENCE; the folder is then as it was.
    """
    with files.replacing(folder) as temporary:
        temporary.mkdir()
        write_model(temporary / trained.KERAS_FILE, model)
        converted = inference.to_litert(model)
        (temporary / trained.LITERT_FILE).write_bytes(converted)
        difference = _difference(model, converted)
        if not difference <= GREATEST_DIFFERENCE:  # so that NaN is none either
            message = (
                f"{folder}: {model.name}'s features in LiteRT must be those in Keras to "
                f"{GREATEST_DIFFERENCE:g} of the greatest, got {difference:g}; see whether its "
                "weights are whole"
            )
            raise DataError(message)
        described = model_json.BackboneDescription(
            image_shape=model.input_shape[1:],
            features=model.output_shape[1],
            files={path.name: model_json.digest(path) for path in sorted(temporary.iterdir())},
        )
        model_json.write(temporary, described)
    return difference


def _difference(model: keras.Model, converted: bytes) -> float:
    """Compare the features of images that are all edges, and of one that has none."""
    shape = (COMPARED, *model.input_shape[1:])
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images[0] = calls.GRAY
    wanted = inference.Runtime.tensorflow(model).call(images)
    found = inference.Runtime.litert(converted).call(images)
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def write_model(path: Path, model: keras.Model) -> None:
    """Write a model without its optimizer, as a `.keras` file.

    The file holds no date and no address, so that equal models give equal bytes; `keras.saving`
    reads it as any other.
    """
    bare = keras.Model(model.inputs, model.outputs, name=model.name)
    keras.saving.save_model(bare, path)
    path.write_bytes(_canonical(path.read_bytes()))


def read(folder: Path) -> tuple[keras.Model, tuple[str, ...]]:
    """Read a model and its class names. Raises DataError where there is none, or not of both."""
    path = folder / trained.KERAS_FILE
    _check_there(path)
    described = model_json.read_trained(folder)
    described.verify(path)
    model = read_model(path)
    told = ((None, len(described.classes)), described.parameters)
    found = (model.output_shape, model.count_params())
    if found != told:
        message = (
            f"{path}: must give {told[0]} and have {told[1]:,} parameters, as "
            f"{folder / model_json.FILE} says, got {found[0]} and {found[1]:,}; run the stage "
            "train again"
        )
        raise DataError(message)
    return model, described.classes


def read_model(path: Path) -> keras.Model:
    """Read a `.keras` file, in safe mode. Raises DataError where there is none that can be read."""
    _check_there(path)
    again = "run the stage that writes it again"
    try:
        with zipfile.ZipFile(path) as archive:  # in which Keras compresses nothing
            swollen = sum(member.file_size for member in archive.infolist())
        if swollen > path.stat().st_size:
            message = f"{path}: must hold nothing compressed, got {swollen:,} bytes; {again}"
            raise DataError(message)
        return keras.saving.load_model(path, compile=False)
    except DataError:
        raise
    except Exception as error:  # broad, for Keras lists nowhere what it raises for damaged files
        message = f"{path}: must be a whole .keras file: {first_line(error)}; {again}"
        raise DataError(message) from error


def _check_there(path: Path) -> None:
    if not path.is_file():
        message = f"{path}: not found; run the stage that writes it"
        raise DataError(message)


def _canonical(archive: bytes) -> bytes:
    """Write the members of a `.keras` zip again, without dates and memory addresses."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.infolist():
            content = old.read(member)
            if member.filename == "metadata.json":
                content = _json(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"})
            elif member.filename == "config.json":
                content = _json(_with_counted_ids(content))
            new.writestr(zipfile.ZipInfo(member.filename, _FIXED_DATE), content)
    return buffer.getvalue()


def _with_counted_ids(config: bytes) -> Any:
    """Number the shared objects of a model's config, which Keras names by their addresses."""
    numbers: dict[int, int] = {}

    def count(entry: dict[str, Any]) -> dict[str, Any]:
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        return entry

    return json.loads(config, object_hook=count)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
