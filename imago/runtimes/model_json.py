"""model.json, which lies beside a model and says what it takes and gives: written and read here.

    data/backbones/<name>/model.json   BackboneDescription, written by the stage backbone
    models/<experiment>/model.json     TrainedDescription, written by the stage train
    exports/<experiment>/model.json    ExportDescription, written by the stage export

Nothing heavy is imported, since a prediction begins with it.
"""

import dataclasses
import hashlib
import json
import math
import reprlib
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imago.core import files, paths
from imago.core.errors import DataError

FILE = "model.json"
GREATEST_BYTES = 10_000_000
"""Of the file; a thousand classes take 20,000."""
GREATEST_SIDE = 65_535
"""Of the pixels that a model takes."""


class _WithFiles:
    """Of a model whose files have their digests in `files`."""

    files: Mapping[str, str]

    def verify(self, path: Path) -> None:
        """Compare a file beside the description with its digest. Raises DataError."""
        if (found := digest(path)) != (told := self.files.get(path.name)):
            message = (
                f"{path}: damaged since it was written, or of another run: its sha256 is "
                f"{found}, {FILE} has {told}; delete {path.parent}, and `dvc checkout "
                f"{path.parent}` brings it back from the DVC cache"
            )
            raise DataError(message)


@dataclass(frozen=True, kw_only=True)
class TrainedDescription(_WithFiles):
    """Of a trained model.

    Attributes:
        classes: K names, in the order of the probabilities.
        parameters: Numbers in its weights.
        files: The sha256 of each file beside it, by its name.
        temperature: By which the logits were divided after the training; None where by none.
    """

    classes: tuple[str, ...]
    parameters: int
    files: Mapping[str, str]
    temperature: float | None = None


@dataclass(frozen=True, kw_only=True)
class BackboneDescription(_WithFiles):
    """Of a frozen backbone.

    Attributes:
        image_shape: (H, W, C) of the pixels that it takes.
        features: Numbers that it gives for an image.
        files: The sha256 of each file beside it, by its name.
    """

    image_shape: tuple[int, int, int]
    features: int
    files: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ExportDescription:
    """Of a model in all its formats.

    Attributes:
        experiment: Its name.
        classes: K names, in the order of the probabilities.
        input: name, shape [None, H, W, C], dtype, range; how images were brought to it: color, fit,
            interpolation; and framing, see imago.images.framing, or None.
        output: name, shape [None, K], dtype.
        formats: By name, the file of each, its bytes, its sha256, see `digest`, and how it
            compares with Keras.
        unsure: When an answer is none, see imago.exports.unsure; None: never.
    """

    experiment: str
    classes: tuple[str, ...]
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    formats: Mapping[str, Mapping[str, Any]]
    unsure: Mapping[str, Any] | None = None


def write(
    folder: Path, description: TrainedDescription | BackboneDescription | ExportDescription
) -> None:
    """Write the description of the model in a folder; that of an export with its own sha256."""
    values = dataclasses.asdict(description)
    described = {key: value for key, value in values.items() if value is not None}
    if isinstance(description, ExportDescription):
        described["sha256"] = _content_digest(described)
    files.write_json(folder / FILE, described)


def digest(path: Path) -> str:
    """Return the sha256 of a file; of a folder that of a line for each file in it and below.

    A line holds the sha256 of a file and its path in the folder, as sha256sum writes it, in the
    order of the paths.
    """
    if not path.is_dir():
        return files.sha256(path)
    inner = sorted((one.relative_to(path).as_posix(), one) for one in path.rglob("*"))
    lines = [f"{digest(one)}  {name}\n" for name, one in inner if one.is_file()]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_trained(folder: Path) -> TrainedDescription:
    """Read what the stage train wrote. Raises DataError, saying what is wrong and what to do."""
    found = _read(folder / FILE, _OF_TRAINED, "train")
    return TrainedDescription(**found | {"classes": tuple(found["classes"])})


def read_backbone(folder: Path) -> BackboneDescription:
    """Read what the stage backbone wrote. Raises DataError, saying what is wrong and what to do."""
    found = _read(folder / FILE, _OF_BACKBONE, "backbone")
    return BackboneDescription(**found | {"image_shape": tuple(found["image_shape"])})


def read_export(folder: Path) -> ExportDescription:
    """Read what the stage export wrote. Raises DataError, saying what is wrong and what to do."""
    found = _read(folder / FILE, _OF_EXPORT, "export")
    told = found.pop("sha256")
    if told != _content_digest(found):
        message = (
            f"{folder / FILE}: sha256 must be that of the rest of the file, which was changed by "
            "hand or damaged; run the stage export again"
        )
        raise DataError(message)
    outputs = found["output"].get("shape")
    if outputs != [None, len(found["classes"])]:
        message = (
            f"{folder / FILE}: output.shape must be [null, {len(found['classes'])}], as there are "
            f"classes, got {_shown(outputs)}; run the stage export again"
        )
        raise DataError(message)
    return ExportDescription(**found | {"classes": tuple(found["classes"])})


def exported() -> list[str]:
    """Return the names of the experiments that have an exported model."""
    return sorted(path.parent.name for path in paths.export("").glob(f"*/{FILE}"))


Rule = tuple[Callable[[Any], bool], str]
"""What a value must be, as a test and in words."""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: Any) -> bool:
    is_list = isinstance(value, list) and bool(value)
    return is_list and all(map(_is_text, value)) and all(value)


def _are_different(value: Any) -> bool:
    return len(set(value)) == len(value)


def _is_image_shape(value: Any) -> bool:
    return isinstance(value, list) and value[:1] == [None] and _are_sides(value[1:])


def _are_sides(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_count, value)):
        return False
    return all(1 <= side <= GREATEST_SIDE for side in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_one_of(*names: str) -> Rule:
    return lambda value: _is_text(value) and value in names, f"one of {', '.join(names)}"


def _is_sha256(value: Any) -> bool:
    return _is_text(value) and len(value) == 64


def _are_digests(value: Any) -> bool:
    return _is_section(value) and all(map(_is_sha256, value.values()))


def _is_section(value: Any) -> bool:
    return isinstance(value, dict)


def _are_formats(value: Any) -> bool:
    return _is_section(value) and all(
        _is_section(one) and _is_text(one.get("file")) and _is_sha256(one.get("sha256"))
        for one in value.values()
    )


def _is_share(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value <= 1 and math.isfinite(value)


def _is_framing(value: Any) -> bool:
    if value is None or not _is_section(value):
        return value is None
    at = value.get("at")
    return (
        value.keys() == {"ground", "longest_side", "center", "at"}
        and value["ground"] in ("dark", "light")
        and value["center"] in ("box", "mass")
        and (value["longest_side"] is None or _is_share(value["longest_side"]))
        and isinstance(at, list)
        and len(at) == 2
        and all(map(_is_share, at))
    )


def _is_above_0(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < math.inf


def _is_unsure(value: Any) -> bool:
    """Say whether the limits are there; what else is told of them is for people."""
    if not _is_section(value) or not value.keys() >= {"probability", "distance"}:
        return False
    probability, distance = value["probability"], value["distance"]
    return (probability is None or _is_share(probability)) and (
        distance is None or _is_above_0(distance)
    )


_NAMES: Rule = (_is_names, "a list of one or more names")
_DIFFERENT: Rule = (_are_different, "names that all differ")
_TEXT: Rule = (_is_text, "text")
_SECTION: Rule = (_is_section, "a section of keys and values")
_OF_TRAINED: Sequence[tuple[str, Rule]] = (
    ("classes", _NAMES),
    ("classes", _DIFFERENT),
    ("parameters", (_is_count, "a whole number, 0 or more")),
    ("files", (_are_digests, "a sha256 for each file")),
    ("temperature?", (_is_above_0, "a number above 0")),
)
_OF_BACKBONE: Sequence[tuple[str, Rule]] = (
    ("image_shape", (_are_sides, "[height, width, channels]")),
    ("features", (_is_count, "a whole number, 0 or more")),
    ("files", (_are_digests, "a sha256 for each file")),
)
_OF_EXPORT: Sequence[tuple[str, Rule]] = (
    ("classes", _NAMES),
    ("classes", _DIFFERENT),
    ("experiment", _TEXT),
    ("input", _SECTION),
    ("input.shape", (_is_image_shape, "[null, height, width, channels]")),
    ("input.fit", _is_one_of("stretch", "crop", "pad")),
    ("input.interpolation", _is_one_of("area", "cubic", "lanczos", "linear", "nearest")),
    ("input.framing", (_is_framing, "null or a section of at, center, ground, longest_side")),
    ("output", _SECTION),
    ("formats", (_are_formats, "a section for each format, with file and sha256")),
    ("unsure?", (_is_unsure, "a section with probability, 0 to 1, and distance, above 0, or null")),
    ("sha256", (_is_sha256, "a sha256, 64 characters")),
)
"""Keys that end in a question mark may be missing."""


def _content_digest(described: Mapping[str, Any]) -> str:
    """Return the sha256 of a description without its own, however its JSON is laid out."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _read(path: Path, rules: Sequence[tuple[str, Rule]], stage: str) -> dict[str, Any]:
    """Return what rules are about; keys that no rule names are left alone, or left out at the top.

    Raises:
        DataError: The file is missing, or breaks a rule.
    """
    again = f"run the stage {stage} again"
    found = _parsed(path, stage, again)
    for rule, (is_kept, words) in rules:
        key = rule.rstrip("?")
        section, _, name = key.rpartition(".")
        values = found[section] if section else found
        if name not in values and key != rule:
            continue
        if name not in values:
            message = f"{path}: must describe a model, but has no {key}; {again}"
            raise DataError(message)
        if not is_kept(values[name]):
            message = f"{path}: {key} must be {words}, got {_shown(values[name])}; {again}"
            raise DataError(message)
    keys = [rule.rstrip("?") for rule, _ in rules if "." not in rule]
    return {key: found[key] for key in keys if key in found}


def _parsed(path: Path, stage: str, again: str) -> dict[str, Any]:
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device has no end
        message = f"{path}: must be a file, got a folder, a pipe or a device; {again}"
        raise DataError(message)
    try:
        if path.stat().st_size > GREATEST_BYTES:
            message = f"{path}: must have at most {GREATEST_BYTES:,} bytes, got more"
            raise DataError(message)
        found = files.read_json(path)
    except FileNotFoundError as error:
        message = f"{path}: not found; it belongs beside the model, and the stage {stage} writes it"
        raise DataError(message) from error
    except RecursionError as error:
        message = f"{path}: must be JSON, got sections in sections without end; {again}"
        raise DataError(message) from error
    except DataError as error:
        message = f"{error}; {again}"
        raise DataError(message) from error
    if not isinstance(found, dict):
        message = f"{path}: must be a section of keys and values, got {_shown(found)}; {again}"
        raise DataError(message)
    return found


def _shown(value: Any) -> str:
    """Show a value as the file has it, shortened."""
    if isinstance(value, dict | list):
        return reprlib.repr(value)
    return textwrap.shorten(json.dumps(value), 100, placeholder=" …")
