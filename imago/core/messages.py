"""The faults that pydantic finds in params.yaml, each as one line for a person."""

import copy
import difflib
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_LETTERS_SHOWN = 300
_GUESSES = 5
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3  # six entries of each of six levels are more than a person reads
_RULES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a section of keys and values",
    "float_type": "must be a number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "invalid_key": "must be a name: text that is no number and no word of YAML",
    "list_type": "must be a list",
    "model_attributes_type": "must be a section of keys and values",
    "model_type": "must be a section of keys and values",
    "string_type": "must be text; put it in quotes",
    "string_unicode": "must be text of whole characters",
    "too_long": "must have at most {max_length}",
    "too_short": "must have at least {min_length}",
}
"""For pydantic's kinds of error; others say their own message."""


def describe(
    fault: ErrorDetails,
    raw: Any,
    model: type[BaseModel],
    patterns: Mapping[str, str],
    known_keys: Collection[str],
) -> str:
    """Say a fault: key, rule, value, remedy.

    Args:
        fault: Of a pydantic ValidationError.
        raw: What was validated.
        model: By which.
        patterns: What a text that must match one of these regular expressions must be, in words.
        known_keys: From which to guess what an unknown key was meant to be.
    """
    key = ".".join(_location(fault, raw)) or "the file"
    value, context = fault["input"], fault.get("ctx", {})
    tag = str(context.get("discriminator", "")).strip("'")
    match fault["type"]:
        case "missing":
            return f"{key} is missing"
        case "union_tag_not_found":
            return f"{key}.{tag} is missing"
        case "union_tag_invalid":
            return f"{key}.{tag} must be one of {context['expected_tags']}, got {shown(value[tag])}"
        case "value_error":
            return f"{key}: {fault['msg'].removeprefix('Value error, ')}"
        case "extra_forbidden":
            meant = _meant(fault, raw, model, known_keys)
            advice = f"; did you mean {meant}?" if meant else ""
            return f"{key} is an unknown key, got {shown(value)}{advice}"
        case "string_pattern_mismatch":
            pattern = context["pattern"]
            rule = f"must be {patterns.get(pattern, f'text that matches {pattern}')}"
        case "string_type" if fault["loc"][-1] == "[key]":
            rule = _RULES["invalid_key"]
        case kind if kind in _RULES:
            rule = _RULES[kind].format(**context)
        case _:
            rule = re.sub("^(Input|String) should", "must", fault["msg"])
    wants_number = fault["type"] in ("float_type", "int_type")
    hint = "; write numbers without quotes or exponent, as 0.001"
    return f"{key} {rule}, got {shown(value)}{hint if wants_number and _is_number(value) else ''}"


def _meant(
    fault: ErrorDetails, raw: Any, model: type[BaseModel], known_keys: Collection[str]
) -> str | None:
    """Return the key most like an unknown one that there can be in its place, if one is like it."""
    *above, unknown = _path(fault, raw)
    others = sorted({*known_keys} - {unknown})
    close = difflib.get_close_matches(str(unknown), others, n=_GUESSES)
    return next((key for key in close if not _is_unknown([*above, key], raw, model)), None)


def _is_unknown(path: Sequence[Any], raw: Any, model: type[BaseModel]) -> bool:
    changed = section = copy.deepcopy(raw)
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = None
    try:
        model.model_validate(changed)
    except ValidationError as error:
        faults = (fault for fault in error.errors() if fault["type"] == "extra_forbidden")
        return any(list(_path(fault, changed)) == path for fault in faults)
    return False


def _location(fault: ErrorDetails, raw: Any) -> Iterator[str]:
    """Yield the keys that lead to the fault, fit for a message."""
    for part in _path(fault, raw):
        if isinstance(part, str) and len(part) <= _LETTERS_SHOWN and part.isprintable():
            yield part
        else:
            yield shown(part)


def _path(fault: ErrorDetails, raw: Any) -> Iterator[Any]:
    """Yield the keys of params.yaml that lead to the fault, without what pydantic adds."""
    parts = list(fault["loc"])
    if parts[-1:] == ["[key]"]:
        parts[-2:] = [fault["input"]]  # pydantic has 'None' for null and 1 for true
    elif fault["type"] == "invalid_key":
        parts[-1] = fault["input"]
    here = raw
    for depth, part in enumerate(parts, 1):
        if part in _keys(here):
            here = here[part]
        elif not (fault["type"] == "missing" and depth == len(parts)):
            continue
        yield part


def _keys(section: Any) -> Collection[Any]:
    if isinstance(section, Mapping):
        return section.keys()
    return range(len(section)) if isinstance(section, list) else ()


def shown(value: Any) -> str:
    """Show a value as the file has it, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = _SHORT.repr(value) if isinstance(value, dict | list) else repr(value)
    half = _LETTERS_SHOWN // 2
    return text if len(text) <= _LETTERS_SHOWN else f"{text[:half]}…{text[-half:]}"


def _is_number(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
