"""What `imago add` puts into params.yaml: a recipe, or photos of one's own.

An archive or a folder becomes a data set, a variant, features and an experiment, with values chosen
from what the photos are, or copied from those of a recipe or of an experiment that is there. Every
line of params.yaml stays as it is, comments and all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imago import params
from imago.core import files, paths, photo_names, sections, strict_yaml
from imago.core.errors import ParamsError
from imago.datasets.image_folder import contents
from imago.datasets.image_folder.arrangement import Arrangement
from imago.params import Params
from imago.project import copies, defaults, facts, nets, pins, recipes, yaml_text
from imago.project.defaults import Choice
from imago.project.nets import Entry
from imago.project.pins import Pinned

NAME = re.compile(r"[^\W\d][\w-]*")
"""Of an entry; one that begins with a digit may be read as a number, such as 1e5."""
SHARED = ("weights", "backbones", "features", "exports")
"""Sections whose entries several experiments may have in common."""

_KEPT = ("exports",)
"""Sections in which a recipe does not mind what stands under a name: only how strict one is."""


@dataclass(frozen=True)
class Added:
    """What was added of a recipe, or for another backbone.

    Attributes:
        experiment: The name of the experiment.
        entries: What was put into params.yaml, as section.name; nothing where all was there.
    """

    experiment: str
    entries: list[str]


@dataclass(frozen=True)
class AddedPhotos:
    """What was added for an archive or a folder.

    Attributes:
        dataset: Its name.
        experiment: The experiment's name.
        variant: Its variant's name.
        arrangement: What photos there are by their names, for none was looked at yet.
        is_new: Whether entries were added, and not those of what was there renewed.
        difference: Of a folder that was there, between the photos before and now, in words.
        choices: The values that were chosen from what the photos are.
    """

    dataset: str
    experiment: str
    variant: str
    arrangement: Arrangement
    is_new: bool
    difference: str = ""
    choices: Sequence[Choice] = ()


def recipe(name: str) -> Added:
    """Add what a recipe holds and params.yaml does not.

    Raises:
        ParamsError: There is no such recipe; an entry that it needs is there and says something
            else; or params.yaml breaks a rule, now or with the new entries.
    """
    wanted, (text, there) = recipes.read(name), _read()
    if name in there.experiments:
        return Added(name, [])
    raw, given = strict_yaml.read(text), strict_yaml.read(wanted.text)
    added = []
    for section, entries in yaml_text.entries(wanted.text).items():
        if section == recipes.ABOUT:
            continue
        for entry, block in entries.items():
            if entry not in raw[section]:
                text = _inserted(text, section, block)
                added.append(f"{section}.{entry}")
            elif section not in _KEPT and _says(raw[section][entry]) != _says(
                given[section][entry]
            ):
                message = (
                    f"{paths.PARAMS}: {section}.{entry} must be that of "
                    f"{paths.RECIPES}/{name}.yaml, which needs it, and says something else; "
                    "take it out, or give it another name"
                )
                raise ParamsError(message)
    _write(text)
    return Added(name, added)


def on_backbone(net: str, like: str, name: str | None) -> Added:
    """Add an experiment on the photos of one that is there, by the features of another net.

    Args:
        net: Of imago.backbones.
        like: The experiment that is copied, without its floors.
        name: Of the new one; None: that of the other with the net's behind it.

    Raises:
        ParamsError: There is no such net or experiment, the experiment is not on features, a name
            is taken, or params.yaml breaks a rule, now or with the new entries.
    """
    text, there = _read()
    raw = strict_yaml.read(text)
    params.pick(there.experiments, "experiment", like)
    entries = copies.on_backbone(copies.find(like, there, text), net, name)
    name, _ = entries["experiments"]
    _check_name(name)
    _check_net(raw, entries)
    _write(_with_entries(text, raw, entries))
    named = [(section, entry) for section, (entry, _) in entries.items()]
    return Added(name, [f"{key}.{entry}" for key, entry in named if entry not in raw[key]])


def name_for(archive: Path) -> str:
    """Make a name of letters, digits, _ and - from that of a file or folder; may be empty."""
    stem = photo_names.normal(archive.name if archive.is_dir() else archive.stem)
    stem = stem.removesuffix(".tar")  # of birds.tar.gz
    return re.sub(r"[^\w-]+", "_", stem).strip("_-")


def photos(
    archive: Path,
    name: str | None,
    like: str | None,
    beside: Sequence[Path] = (),
    net: str | None = None,
) -> AddedPhotos:
    """Add a data set, a variant, features and an experiment to params.yaml.

    Where it was added before, as a data set of this name, only its digest and its place are
    renewed, and the listing of a folder.

    Args:
        archive: A zip, a tar or a folder of photos, in the layout image_folder; it stays where it
            is.
        name: Of the data set and of the experiment; None: made of the archive's, and then photos
            that lie elsewhere and have none in common with those of that name are refused.
        like: An experiment of params.yaml, or else a recipe, whose entries are copied; without its
            limits of photos and its floors. None: those of `defaults.RECIPE`, with values chosen
            from what the photos are.
        beside: More archives, and a table that says which class a photo is of.
        net: Of imago.backbones, in place of the one of the copied experiment.

    Raises:
        DataError: It cannot be used; the photos themselves are not looked at.
        ParamsError: A name is taken, there is no such experiment or net, or params.yaml breaks a
            rule, now or with the new entries.
    """
    is_named, name = name is not None, name_for(archive) if name is None else name
    _check_name(name)
    text, there = _read()
    model = copies.find(like, there, text)
    places, is_new = [archive, *beside], not pins.is_renewed([archive, *beside], name, there)
    usual_px = nets.usual_px(net) if net else defaults.USUAL_PX
    _check_is_free(name, net, there, is_new)
    choices: Sequence[Choice] = ()
    with contents.opened(places, name) as (opened, found):
        pinned = pins.pin(places, name)
        if not (is_new or is_named):
            pins.check_same(places, name, there)
        if is_new and like is None:
            choices = defaults.choose(facts.find(opened, found), usual_px)
    raw = strict_yaml.read(text)
    if is_new:
        entries = copies.of_photos(model, name, pinned, found, choices, net)
        if net:
            _check_net(raw, entries)
        text = _with_entries(text, raw, entries)
    else:
        text = _with_files(text, name, there.datasets[name].files, pinned)
    settings = params.parse(text)
    difference = pins.write_listing(name, pinned.listing)
    files.write_text(paths.PARAMS, text)
    experiment, *_ = pins.experiments_on(name, settings)
    variant = settings.experiments[experiment].variant
    return AddedPhotos(name, experiment, variant, found, is_new, difference, choices)


def _check_is_free(name: str, net: str | None, there: Params, is_new: bool) -> None:
    """Check that a name is that of the photos, and a net is not to take the place of another."""
    if is_new and name in there.experiments:
        dataset = there.prepare[there.experiments[name].variant].dataset
        if pins.is_own(dataset, there):
            message = (
                f"{paths.PARAMS}: experiments has an entry {name} already, on the photos of "
                f"{dataset}; --name {dataset} takes those as they are now, another name adds "
                "a data set"
            )
            raise ParamsError(message)
    if net and not is_new:
        message = f"{name} is there; for another net: imago add --like {name} --backbone {net}"
        raise ParamsError(message)


def _with_files(text: str, name: str, known: Mapping[str, str], pinned: Pinned) -> str:
    """Renew what params.yaml says of the files of a data set, and where they come from."""
    if known.keys() != pinned.files.keys():
        text = yaml_text.put(text, ["datasets", name, "files"], pinned.files)
    for file, digest in pinned.files.items():
        text = yaml_text.put(text, ["datasets", name, "files", file], digest)
    return yaml_text.put(text, ["datasets", name, "sources"], pinned.sources)


def _with_entries(text: str, raw: Mapping[str, Any], entries: Mapping[str, Entry]) -> str:
    for section, (entry, content) in entries.items():
        if entry in raw[section] and section in SHARED:
            continue
        if entry in raw[section]:
            message = (
                f"{paths.PARAMS}: {section} has an entry {entry} already; choose another --name"
            )
            raise ParamsError(message)
        text = _inserted(text, section, yaml_text.block(entry, content, yaml_text.INDENT))
    return text


def _check_net(raw: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Check that what stands under the names that a net needs is that net. Raises ParamsError."""
    for section in ("weights", "backbones", "features"):
        entry, wanted = entries[section]
        there = raw[section].get(entry, wanted)
        if section == "weights":  # which may have been given their digest, or another source, since
            there, wanted = list(there["files"]), list(wanted["files"])
        if there != wanted:
            message = (
                f"{paths.PARAMS}: {section}.{entry} must be that of the net, which needs it, and "
                "says something else; give it another name"
            )
            raise ParamsError(message)


def _check_name(name: str) -> None:
    """Check the name of a new entry. Raises ParamsError."""
    if not NAME.fullmatch(name):
        message = (
            f"a name must be of letters, digits, _ and -, beginning with a letter or _, "
            f"got {name!r}; give one with --name"
        )
        raise ParamsError(message)
    try:
        sections.is_a_name_to_all(name)
    except ValueError as error:
        message = f"{error}; give one with --name"
        raise ParamsError(message) from error


def _read() -> tuple[str, Params]:
    """Read params.yaml, with the line ends that it has, and what it says. Raises ParamsError."""
    settings = params.load()
    return paths.PARAMS.read_bytes().decode(), settings


def _write(text: str) -> None:
    """Write params.yaml, if it is sound. Raises ParamsError."""
    params.parse(text)
    files.write_text(paths.PARAMS, text)


def _inserted(text: str, section: str, block: str) -> str:
    try:
        return yaml_text.insert(text, section, block)
    except ValueError as error:
        message = f"{paths.PARAMS}: {error}"
        raise ParamsError(message) from error


def _says(entry: Any) -> Any:
    """Return what of an entry shapes a result: not where files come from."""
    return {key: value for key, value in entry.items() if key not in ("sources", "licence")}
