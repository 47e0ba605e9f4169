"""Which column of a table says what of a photo."""

import re
from collections.abc import Mapping, Sequence

from imago.core import photo_names
from imago.core.errors import DataError
from imago.core.photo_names import listed
from imago.data.arrays import SplitName
from imago.datasets.image_folder import split_names
from imago.datasets.image_folder.archive import shown

_CALLED = {
    "path": (
        *("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path"),
        *("id", "image_name", "image_id", "image_file", "image_filename", "photo", "picture"),
        *("img", "img_path", "url", "external_id"),
    ),
    "label": ("label", "class", "class_name", "category", "choice", "target", "labels"),
    "split": ("split", "subset", "set", "partition"),
    "group": (
        *("group", "group_id", "patient", "patient_id", "subject", "subject_id"),
        *("video", "video_id"),
    ),
}
"""What each column may be called, in any case, with _ or a space or - between words; the first one
that is there is taken, of paths the first that has names of photos, if one has."""
_OF_LABEL_STUDIO = {"annotation_id", "annotator", "choice"}
"""Columns of its exports: what its annotators chose, whatever columns its tasks had."""
_MAY_BE_SPLIT = ("phase", "usage", "dataset_split", "data_split", "ml_use", "is_valid")
"""What the split may be called too, where all that stands there are names of splits."""
_OF_FASTAI = "is_valid"
_IS_VALID: Mapping[str, SplitName] = {
    **dict.fromkeys(("true", "1", "1.0"), "validation"),
    **dict.fromkeys(("false", "0", "0.0"), "train"),
}
"""What fastai's column says."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def places(header: Sequence[str], rows: Sequence[Sequence[str]], where: str) -> dict[str, int]:
    """Return which column each field of a row is, of those that there are."""
    names = [_plain(name) for name in header]
    found = {
        field: [at for one in called for at, name in enumerate(names) if name == one]
        for field, called in _CALLED.items()
    }
    found["path"].sort(key=lambda at: not any(_is_photo(cell(row, at)) for row in rows))
    found["label"] = [_label(found["label"], names, rows, where)] if found["label"] else []
    may_be = [at for one in _MAY_BE_SPLIT for at, name in enumerate(names) if name == one]
    if not found["split"]:
        found["split"] = [at for at in may_be if _is_split(at, header, rows, where)]
    return {field: places[0] for field, places in found.items() if places}


def _label(
    places: Sequence[int], names: Sequence[str], rows: Sequence[Sequence[str]], where: str
) -> int:
    """Return, of several columns that may be the label, the one that is.

    The first, but for what a tool's annotators chose, and for numbers beside which names stand.

    Raises:
        DataError: Two say something else, of which one alone can be meant.
    """
    columns = {at: [photo_names.folded(cell(row, at)) for row in rows] for at in places}
    filled = [at for at in places if any(columns[at])] or list(places)
    if {*names} >= _OF_LABEL_STUDIO and (chosen := [at for at in filled if names[at] == "choice"]):
        return chosen[0]
    first, *others = filled
    for other in others:
        both = [pair for pair in zip(columns[first], columns[other], strict=True) if all(pair)]
        is_same = len({*both}) == len({one for one, _ in both}) == len({one for _, one in both})
        is_by_name = _are_numbers(columns[first]) and not _are_numbers(columns[other])
        if is_by_name and is_same:
            return other
        if both and not is_same and (is_by_name or names[first] == names[other]):
            here, there = next(pair for pair in both if pair[0] != pair[1])
            message = (
                f"{where}: one column must be the label, got {names[first]} and {names[other]}, "
                f"which do not say the same, such as {here} and {there}; rename the one that is not"
            )
            raise DataError(message)
    return first


def _are_numbers(cells: Sequence[str]) -> bool:
    return all(_NUMBER.fullmatch(one) for one in cells if one)


def may_be_path(name: str) -> bool:
    """Tell a column of paths by its name."""
    return _plain(name) in _CALLED["path"]


def said(header: Sequence[str], row: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    """Return what a row says of each field; places are those that `places` gave."""
    found = {field: cell(row, at) for field, at in places.items()}
    if "split" in places and _plain(header[places["split"]]) == _OF_FASTAI:
        found["split"] = _IS_VALID.get(found["split"].lower(), "")
    return found


def cell(row: Sequence[str], at: int) -> str:
    """Return a cell of a row, which may have fewer than the header."""
    return row[at].strip() if at < len(row) else ""


def remedy(header: Sequence[str], rows: Sequence[Sequence[str]], missing: Sequence[str]) -> str:
    """Say what to do about a table that lacks columns."""
    if any(map(_is_photo, header)):
        return "the first line, which looks like a photo's, must name them"
    marks = [
        shown(name)
        for at, name in enumerate(header)
        if rows and {cell(row, at) for row in rows} <= {"0", "1", "0.0", "1.0"}
    ]
    if missing == ["label"] and len(marks) > 1:
        return f"write in one column, label, which of {listed(marks, 9)} a photo is"
    return f"name the column {' and '.join(missing)}"


def _is_photo(said: str) -> bool:
    return said.lower().endswith(tuple(photo_names.SUFFIXES))


def _is_split(at: int, header: Sequence[str], rows: Sequence[Sequence[str]], where: str) -> bool:
    """Tell whether a column that may be the split is one.

    Raises:
        DataError: It is one by most of its cells, of training and of others, and not by all.
    """
    cells = [one for row in rows if (one := cell(row, at))]
    if _plain(header[at]) == _OF_FASTAI:
        said = [_IS_VALID.get(one.lower()) for one in cells]
        return None not in said and 0 < said.count("validation") < len(said) / 2
    likely = [one for one in cells if split_names.likely(one)]
    if not likely or len(likely) == len(cells):
        return bool(likely)
    splits = {split_names.likely(one) for one in likely}
    if len(likely) > len(cells) / 2 and "train" in splits and len(splits) > 1:
        others = dict.fromkeys(one for one in cells if not split_names.likely(one))
        message = (
            f"{where}: the column {header[at].strip()} looks like the split, and must then say "
            f"train, validation or test, got {listed(list(others))}; correct it, or rename the "
            "column"
        )
        raise DataError(message)
    return False


def _plain(name: str) -> str:
    """Return the name of a column as those that are known are written."""
    return photo_names.folded(name.strip()).replace(" ", "_").replace("-", "_")
