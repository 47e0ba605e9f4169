"""model.json, which lies beside a model and says what it takes and gives: written and read here.

    models/<experiment>/model.json     TrainedDescription, written by the stage train
    exports/<experiment>/model.json    ExportDescription, written by the stage export

Nothing heavy is imported, since a prediction begins with it.
"""

import dataclasses
import json
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imago.core import files, paths
from imago.core.errors import DataError

FILE = "model.json"


@dataclass(frozen=True, kw_only=True)
class TrainedDescription:
    """Of a trained model.

    Attributes:
        classes: K names, in the order of the probabilities.
        parameters: Numbers in its weights.
    """

    classes: tuple[str, ...]
    parameters: int


@dataclass(frozen=True, kw_only=True)
class ExportDescription:
    """Of a model in all its formats.

    Attributes:
        experiment: Its name.
        classes: K names, in the order of the probabilities.
        input: name, shape [None, H, W, C], dtype, range; how images were brought to it: color, fit,
            interpolation; and framing, see imago.images.framing, or None.
        output: name, shape [None, K], dtype.
        formats: By name, the file of each, its bytes, and how it compares with Keras.
    """

    experiment: str
    classes: tuple[str, ...]
    input: Mapping[str, Any]
    output: Mapping[str, Any]
    formats: Mapping[str, Mapping[str, Any]]


def write(folder: Path, description: TrainedDescription | ExportDescription) -> None:
    """Write the description of the model in a folder."""
    files.write_json(folder / FILE, dataclasses.asdict(description))


def read_trained(folder: Path) -> TrainedDescription:
    """Read what the stage train wrote. Raises DataError, saying what is wrong and what to do."""
    found = _read(folder / FILE, _OF_TRAINED, "train")
    return TrainedDescription(**found | {"classes": tuple(found["classes"])})


def read_export(folder: Path) -> ExportDescription:
    """Read what the stage export wrote. Raises DataError, saying what is wrong and what to do."""
    found = _read(folder / FILE, _OF_EXPORT, "export")
    return ExportDescription(**found | {"classes": tuple(found["classes"])})


def exported() -> list[str]:
    """Return the names of the experiments that have an exported model."""
    return sorted(path.parent.name for path in paths.export("").glob(f"*/{FILE}"))


Rule = tuple[Callable[[Any], bool], str]
"""What a value must be, as a test and in words."""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)


def _is_image_shape(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_count, value[1:]))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_section(value: Any) -> bool:
    return isinstance(value, dict)


def _are_sections(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_section, value.values()))


def _is_framing(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and value.keys() == _FRAMING)


_FRAMING = {"ground", "longest_side", "center", "at"}
_NAMES: Rule = (_is_names, "a list of one or more names")
_TEXT: Rule = (_is_text, "text")
_SECTION: Rule = (_is_section, "a section of keys and values")
_OF_TRAINED: Mapping[str, Rule] = {
    "classes": _NAMES,
    "parameters": (_is_count, "a whole number, 0 or more"),
}
_OF_EXPORT: Mapping[str, Rule] = {
    "classes": _NAMES,
    "experiment": _TEXT,
    "input": _SECTION,
    "input.shape": (_is_image_shape, "[null, height, width, channels]"),
    "input.fit": _TEXT,
    "input.interpolation": _TEXT,
    "input.framing": (_is_framing, f"null or a section of {', '.join(sorted(_FRAMING))}"),
    "output": _SECTION,
    "formats": (_are_sections, "a section for each format"),
}


def _read(path: Path, rules: Mapping[str, Rule], stage: str) -> dict[str, Any]:
    """Return what rules are about; keys that no rule names are left alone, or left out at the top.

    Raises:
        DataError: The file is missing, or breaks a rule.
    """
    again = f"run the stage {stage} again"
    try:
        found = files.read_json(path)
    except FileNotFoundError as error:
        message = f"{path}: not found; it belongs beside the model, and the stage {stage} writes it"
        raise DataError(message) from error
    except DataError as error:
        message = f"{error}; {again}"
        raise DataError(message) from error
    if not isinstance(found, dict):
        message = f"{path}: must be a section of keys and values, got {_shown(found)}; {again}"
        raise DataError(message)
    for key, (is_kept, words) in rules.items():
        section, _, name = key.rpartition(".")
        values = found[section] if section else found
        if name not in values:
            message = f"{path}: must describe a model, but has no {key}; {again}"
            raise DataError(message)
        if not is_kept(values[name]):
            message = f"{path}: {key} must be {words}, got {_shown(values[name])}; {again}"
            raise DataError(message)
    return {key: found[key] for key in rules if "." not in key}


def _shown(value: Any) -> str:
    """Show a value as the file has it, shortened."""
    return reprlib.repr(value) if isinstance(value, dict | list) else json.dumps(value)
