"""A zip of one's own photos as a new data set in params.yaml, with an experiment on it.

The new entries are copies of those of an experiment that is there. They are inserted as text, so
that every line of params.yaml stays as it is, comments and all.
"""

import hashlib
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from imago import params
from imago.core import files, paths, strict_yaml
from imago.core.errors import ParamsError
from imago.datasets.image_folder import archives, folders

LAYOUT = "image_folder"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""Of an entry; one that begins with a digit may be read as a number, such as 1e5."""
TEST_FRACTION = 0.2
"""Written into params.yaml, where it can be changed, for a zip without a test folder."""
LICENCE = "of your own"
"""Written into params.yaml, where it can be changed."""

_Entries = dict[str, tuple[str, dict[str, Any]]]
"""Section: the name of the new entry there, and what it says."""


@dataclass(frozen=True)
class Added:
    """What was added.

    Attributes:
        experiment: Its name.
        variant: Its variant's name.
        classes: Their names.
        photos: How many there are by their names, for none was looked at yet.
        is_new: Whether entries were added, and not the digest of a zip that was there renewed.
    """

    experiment: str
    variant: str
    classes: list[str]
    photos: int
    is_new: bool


def name_for(archive: Path) -> str:
    """Make a name of letters, digits, _ and - from that of a file; may be empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", archive.stem, flags=re.ASCII).strip("_-")


def photos(archive: Path, name: str, like: str, path: Path = paths.PARAMS) -> Added:
    """Add a data set, a variant, features and an experiment to params.yaml.

    Where the zip was added before, under this name, only its digest is renewed.

    Args:
        archive: A zip of photos, in the layout image_folder; it stays where it is.
        name: Of the data set and of the experiment.
        like: The experiment whose entries are copied; without its limits of photos and its floors.
        path: Of params.yaml.

    Raises:
        DataError: The zip cannot be used; its photos themselves are not looked at.
        ParamsError: A name is taken, there is no such experiment, or params.yaml breaks a rule,
            now or with the new entries.
    """
    if not NAME.fullmatch(name):
        message = (
            f"a name must be of letters, digits, _ and -, beginning with a letter or _, "
            f"got {name!r}; give one with --name"
        )
        raise ParamsError(message)
    experiment = params.pick(params.load(path).experiments, "experiment", like)
    with archives.opened(archive) as (_, members):
        found = folders.arrange([member.filename for member in members], str(archive))
    text = path.read_bytes().decode()  # with its line ends
    raw = strict_yaml.read(text)
    known = raw["datasets"].get(name, {}).get("files", {})
    if archive.name in known and name in raw["experiments"]:
        text = _with_new_digest(text, known[archive.name], archive)
        variant = _write(path, text).experiments[name].variant
        return Added(name, variant, found.classes("train"), len(found.places), is_new=False)
    entries = _copies(raw, like, experiment.variant, name)
    if found.classes("validation"):  # which are used in place of drawn ones
        entries["prepare"][1]["validation_fraction"] = 0.0
    entries = {"datasets": (name, _dataset(archive, found, _extract(raw, path)))} | entries
    for section, (entry, content) in entries.items():
        if entry in raw[section]:
            message = f"{path}: {section} has an entry {entry} already; choose another --name"
            raise ParamsError(message)
        text = _inserted(text, section, entry, content, path)
    variant = _write(path, text).experiments[name].variant
    return Added(name, variant, found.classes("train"), len(found.places), is_new=True)


def _write(path: Path, text: str) -> params.Params:
    """Write params.yaml, if it is sound."""
    settings = params.parse(text, str(path))
    with files.replacing(path) as temporary:
        temporary.write_bytes(text.encode())
    return settings


def _with_new_digest(text: str, digest: str, archive: Path) -> str:
    """Take the photos of a zip that has changed since it was added."""
    return text.replace(digest, _sha256(archive))


def _sha256(archive: Path) -> str:
    with archive.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copies(raw: Mapping[str, Any], like: str, variant: str, name: str) -> _Entries:
    """Copy the variant, the features and the experiment, under names with the new one in them."""
    prepare = raw["prepare"][variant] | {"dataset": name}
    prepare.pop("limit_per_class", None)
    new_variant = f"{name}{prepare['image_size_px']}"
    experiment = raw["experiments"][like] | {"pixels": f"prepared/{new_variant}"}
    experiment.pop("floors", None)  # of another task
    kind, source = experiment["input"].split("/")
    entries: _Entries = {"prepare": (new_variant, prepare)}
    if kind == "features":
        features = raw["features"][source] | {"variant": new_variant}
        source = f"{new_variant}_{source.removeprefix(variant).lstrip('_')}"
        entries["features"] = (source, features)
    else:
        source = new_variant
    return entries | {"experiments": (name, experiment | {"input": f"{kind}/{source}"})}


def _extract(raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Copy how photos of another data set are extracted."""
    for dataset in raw["datasets"].values():
        if dataset["layout"] == LAYOUT:
            return dict(dataset["extract"])
    message = f"{path}: must have a data set of layout {LAYOUT} to copy from, got none; add one"
    raise ParamsError(message)


def _dataset(archive: Path, found: folders.Arrangement, extract: dict[str, Any]) -> dict[str, Any]:
    """Describe the zip, which is to be fetched from the folder in which it lies."""
    extract.pop("test_fraction", None)
    extract.pop("allow_leaks", None)
    if not found.classes("test"):
        extract = {"test_fraction": TEST_FRACTION} | extract
    folder, here = archive.absolute().parent, Path.cwd()
    within = folder.is_relative_to(here)
    source = f"./{folder.relative_to(here).as_posix()}" if within else folder.as_posix()
    return {
        "layout": LAYOUT,
        "licence": LICENCE,
        "files": {archive.name: _sha256(archive)},
        "sources": [f"{source.removesuffix('/.')}/{{name}}"],
        "extract": extract,
    }


def _inserted(text: str, section: str, entry: str, content: dict[str, Any], path: Path) -> str:
    """Insert an entry after the last one of a section, and leave all other lines as they are."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    node = next(value for key, value in root.value if key.value == section)  # type: ignore[union-attr]
    if node.flow_style:
        message = (
            f"{path}: {section} must have each entry in a line of its own, got {{ }}; rewrite it"
        )
        raise ParamsError(message)
    last_key, last_value = node.value[-1]
    first, end = last_key.start_mark.line, _last_line(last_value) + 1
    lines = text.splitlines(keepends=True)
    newline = "\r\n" if lines[0].endswith("\r\n") else "\n"
    lines[end - 1] = lines[end - 1].rstrip("\r\n") + newline
    gap = [] if lines[first - 1].strip() else [newline]  # as between the entries before
    dumped = yaml.safe_dump({entry: content}, sort_keys=False, width=1000, default_flow_style=None)
    indent = " " * last_key.start_mark.column
    added = textwrap.indent(dumped, indent).replace("\n", newline)
    return "".join([*lines[:end], *gap, added, *lines[end:]])


def _last_line(node: yaml.Node) -> int:
    """Find where a value ends: that of a block ends after the empty lines and comments below it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.line)
