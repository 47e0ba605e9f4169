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
_OF_LABEL_STUDIO = "choice"
"""What its labels are called, whatever columns its tasks had."""
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
    if _OF_LABEL_STUDIO in names:
        found["label"] = [names.index(_OF_LABEL_STUDIO)]
    elif len(found["label"]) > 1:
        found["label"] = [_with_names(found["label"], header, rows, where)]
    may_be = [at for one in _MAY_BE_SPLIT for at, name in enumerate(names) if name == one]
    found["split"] += [at for at in may_be if _is_split(at, header, rows, where)]
    return {field: places[0] for field, places in found.items() if places}


def _with_names(
    places: Sequence[int], header: Sequence[str], rows: Sequence[Sequence[str]], where: str
) -> int:
    """Return, of columns that say the same class by numbers and by names, the first with names."""
    said = [[cell(row, at) for row in rows] for at in places]
    for at, cells in zip(places, said, strict=True):
        pairs = set(zip(said[0], cells, strict=True))
        if len(pairs) != len(set(said[0])) or len(pairs) != len(set(cells)):
            message = (
                f"{where}: one column must be the label, got {header[places[0]].strip()} and "
                f"{header[at].strip()}, which do not say the same; rename the one that is not"
            )
            raise DataError(message)
    are_numbers = [all(_NUMBER.fullmatch(one) for one in cells if one) for cells in said]
    return places[are_numbers.index(False)] if False in are_numbers else places[0]


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
    """Tell whether a column that may be the split is. Raises DataError where some cells are not."""
    said = [one for row in rows if (one := cell(row, at))]
    others = [one for one in said if not split_names.likely(one)]
    if _plain(header[at]) == _OF_FASTAI:
        return bool(said) and all(one.lower() in _IS_VALID for one in said)
    if others and len(others) < len(said):
        message = (
            f"{where}: the column {header[at].strip()} looks like the split, and must then say "
            f"train, validation or test, got {listed(list(dict.fromkeys(others)))}; correct it, or "
            "rename the column"
        )
        raise DataError(message)
    return bool(said) and not others


def _plain(name: str) -> str:
    """Return the name of a column as those that are known are written."""
    return photo_names.folded(name.strip()).replace(" ", "_").replace("-", "_")
