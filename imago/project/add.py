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

from dvc.utils.serialize import parse_yaml_for_update
from ruamel.yaml.comments import CommentedMap

from imago import params
from imago.core import files, paths, photo_names, sections, strict_yaml
from imago.core.errors import ParamsError
from imago.datasets.image_folder import contents
from imago.datasets.image_folder.arrangement import Arrangement
from imago.params import Params
from imago.project import defaults, facts, pins, recipes, yaml_text
from imago.project.defaults import Choice
from imago.project.pins import LAYOUT, Pinned

NAME = re.compile(r"[^\W\d][\w-]*")
"""Of an entry; one that begins with a digit may be read as a number, such as 1e5."""
LICENCE = "of your own"
TEST_FRACTION = 0.2
"""Of the photos of what has no test folder."""
EXTRACT = {"greatest_unreadable_fraction": 0.1, "greatest_megapixels": 50}
"""Where the copied experiment is not on photos. Like LICENCE and TEST_FRACTION, to be changed in
params.yaml."""
SHARED = ("weights", "backbones", "exports")
"""Sections whose entries several experiments may have in common."""

_KEPT = ("exports",)
"""Sections in which a recipe does not mind what stands under a name: only how strict one is."""


@dataclass(frozen=True)
class AddedRecipe:
    """What was added of a recipe.

    Attributes:
        experiment: Its name.
        entries: What was put into params.yaml, as section.name; nothing where all was there.
    """

    experiment: str
    entries: list[str]


@dataclass(frozen=True)
class AddedPhotos:
    """What was added for an archive or a folder.

    Attributes:
        experiment: Its name.
        variant: Its variant's name.
        arrangement: What photos there are by their names, for none was looked at yet.
        is_new: Whether entries were added, and not those of what was there renewed.
        difference: Of a folder that was there, between the photos before and now, in words.
        choices: The values that were chosen from what the photos are.
    """

    experiment: str
    variant: str
    arrangement: Arrangement
    is_new: bool
    difference: str = ""
    choices: Sequence[Choice] = ()


def recipe(name: str, path: Path = paths.PARAMS) -> AddedRecipe:
    """Add what a recipe holds and params.yaml does not.

    Raises:
        ParamsError: There is no such recipe; an entry that it needs is there and says something
            else; or params.yaml breaks a rule, now or with the new entries.
    """
    wanted, text, there = recipes.read(name), _text(path), params.load(path)
    if name in there.experiments:
        return AddedRecipe(name, [])
    raw, given = strict_yaml.read(text), strict_yaml.read(wanted.text)
    added = []
    for section, entries in yaml_text.entries(wanted.text).items():
        if section == recipes.ABOUT:
            continue
        for entry, block in entries.items():
            if entry not in raw[section]:
                text = _inserted(text, section, block, path)
                added.append(f"{section}.{entry}")
            elif section not in _KEPT and _says(raw[section][entry]) != _says(
                given[section][entry]
            ):
                message = (
                    f"{path}: {section}.{entry} must be that of {paths.RECIPES}/{name}.yaml, which "
                    f"needs it, and says something else; take it out, or give it another name"
                )
                raise ParamsError(message)
    _write(path, text)
    return AddedRecipe(name, added)


def name_for(archive: Path) -> str:
    """Make a name of letters, digits, _ and - from that of a file; may be empty."""
    stem = photo_names.normal(archive.stem)
    stem = stem.removesuffix(".tar")  # of birds.tar.gz
    return re.sub(r"[^\w-]+", "_", stem).strip("_-")


def photos(
    archive: Path,
    name: str,
    like: str | None,
    path: Path = paths.PARAMS,
    beside: Sequence[Path] = (),
) -> AddedPhotos:
    """Add a data set, a variant, features and an experiment to params.yaml.

    Where it was added before, under this name, only its digest and its place are renewed, and the
    listing of a folder.

    Args:
        archive: A zip, a tar or a folder of photos, in the layout image_folder; it stays where it
            is.
        name: Of the data set and of the experiment.
        like: An experiment of params.yaml, or else a recipe, whose entries are copied; without its
            limits of photos and its floors. None: those of `defaults.RECIPE`, with values chosen
            from what the photos are.
        path: Of params.yaml.
        beside: More archives, and a table that says which class a photo is of.

    Raises:
        DataError: It cannot be used; the photos themselves are not looked at.
        ParamsError: A name is taken, there is no such experiment, or params.yaml breaks a rule,
            now or with the new entries.
    """
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
    text, there = _text(path), params.load(path)
    model = _model(like, there, text)
    places, is_new = [archive, *beside], not pins.is_own(name, there)
    choices: Sequence[Choice] = ()
    with contents.opened(places, name) as (opened, found):
        pinned = pins.pin(places, name)
        if is_new and like is None:
            choices = defaults.choose(facts.find(opened, found))
    raw = strict_yaml.read(text)
    if is_new:
        text = _with_entries(text, raw, _entries(model, name, pinned, found, choices), path)
    else:
        text = _with_files(text, name, there.datasets[name].files, pinned)
    settings = params.parse(text, str(path))
    difference = pins.write_listing(name, pinned.listing)
    files.write_text(path, text)
    variant = settings.experiments[name].variant
    return AddedPhotos(name, variant, found, is_new, difference, choices)


def _with_files(text: str, name: str, known: Mapping[str, str], pinned: Pinned) -> str:
    """Renew what params.yaml says of the files of a data set, and where they come from."""
    if known.keys() != pinned.files.keys():
        text = yaml_text.put(text, ["datasets", name, "files"], pinned.files)
    for file, digest in pinned.files.items():
        text = yaml_text.put(text, ["datasets", name, "files", file], digest)
    return yaml_text.put(text, ["datasets", name, "sources"], pinned.sources)


def _with_entries(
    text: str, raw: Mapping[str, Any], entries: Mapping[str, tuple[str, Any]], path: Path
) -> str:
    for section, (entry, content) in entries.items():
        if entry in raw[section] and section in SHARED:
            continue
        if entry in raw[section]:
            message = f"{path}: {section} has an entry {entry} already; choose another --name"
            raise ParamsError(message)
        text = _inserted(text, section, yaml_text.block(entry, content, yaml_text.INDENT), path)
    return text


def _text(path: Path) -> str:
    """Read params.yaml with the line ends that it has. Raises ParamsError."""
    params.load(path)
    return path.read_bytes().decode()


def _write(path: Path, text: str) -> Params:
    """Write params.yaml, if it is sound."""
    settings = params.parse(text, str(path))
    files.write_text(path, text)
    return settings


def _inserted(text: str, section: str, block: str, path: Path) -> str:
    try:
        return yaml_text.insert(text, section, block)
    except ValueError as error:
        message = f"{path}: {error}"
        raise ParamsError(message) from error


def _says(entry: Any) -> Any:
    """Return what of an entry shapes a result: not where files come from."""
    return {key: value for key, value in entry.items() if key not in ("sources", "licence")}


@dataclass(frozen=True)
class _Model:
    """The experiment whose entries are copied, and the text of the file that has them."""

    name: str
    settings: Params
    text: str

    def copied(self, section: str, entry: str) -> Any:
        """Return what an entry says, with its comments, to be changed and written anew."""
        block = yaml_text.entries(self.text).get(section, {}).get(entry)
        if block is None:
            message = f"{section} must have each entry in lines of its own, got {{ }}; rewrite it"
            raise ParamsError(message)
        return parse_yaml_for_update(block, "")[entry]


def _model(like: str | None, there: Params, text: str) -> _Model:
    if like is None:
        found = recipes.read(defaults.RECIPE)
        return _Model(defaults.RECIPE, found.settings, found.text)
    if like in there.experiments:
        return _Model(like, there, text)
    if like in recipes.names():
        found = recipes.read(like)
        return _Model(like, found.settings, found.text)
    known = ", ".join(sorted({*there.experiments, *recipes.names()}))
    message = f"unknown experiment or recipe {like!r}; there are {known or 'none'}"
    raise ParamsError(message)


def _entries(
    model: _Model, name: str, pinned: Pinned, found: Arrangement, choices: Sequence[Choice]
) -> dict[str, tuple[str, Any]]:
    """Return for each section the name of its new entry, and what that says."""
    old = model.settings.experiments[model.name]
    prepare = model.copied("prepare", old.variant)
    from_layout = model.settings.datasets[prepare["dataset"]].layout
    extract = (
        model.copied("datasets", prepare["dataset"])["extract"]
        if from_layout == LAYOUT
        else dict(EXTRACT)
    )
    prepare["dataset"] = name
    prepare.pop("limit_per_class", None)
    # Photos that belong together know each other in extract alone, so all is drawn there.
    copied_fraction = prepare["validation_fraction"] or extract.get("validation_fraction", 0.0)
    validation_fraction = 0.0 if found.classes("validation") else copied_fraction
    prepare["validation_fraction"] = 0.0
    _put(choices, "prepare", prepare)
    variant = f"{name}{prepare['image_size_px']}"
    for choice in choices:
        if choice[:2] == ("extract", "validation_fraction") and isinstance(choice.value, float):
            validation_fraction = choice.value
    dataset = _dataset(pinned, found, extract, validation_fraction)
    _put(choices, "extract", dataset["extract"])
    entries = {"datasets": (name, dataset), "prepare": (variant, prepare)}
    experiment = model.copied("experiments", model.name)
    experiment["input"] = experiment["pixels"] = f"prepared/{variant}"
    experiment.pop("floors", None)  # of another task
    _put(choices, "train", experiment["train"])
    if old.features:
        features = model.copied("features", old.features)
        features["variant"] = variant
        made = f"{variant}_{old.features.removeprefix(old.variant).lstrip('_')}"
        experiment["input"] = f"features/{made}"
        backbone = features["backbone"]
        net = model.copied("backbones", backbone)
        if net["image_size_px"] != prepare["image_size_px"]:
            backbone = f"{net['weights']}_{prepare['image_size_px']}"
            net["image_size_px"], features["backbone"] = prepare["image_size_px"], backbone
        entries["weights"] = (net["weights"], model.copied("weights", net["weights"]))
        entries["backbones"] = (backbone, net)
        entries["features"] = (made, features)
    export = model.copied("exports", old.export)
    _put(choices, "exports", export)
    is_chosen = any(choice.place == "exports" for choice in choices)
    experiment["export"] = f"{old.export}_unsure" if is_chosen else old.export
    entries["exports"] = (experiment["export"], export)
    return entries | {"experiments": (name, experiment)}


def _dataset(
    pinned: Pinned, found: Arrangement, extract: dict[str, Any], validation_fraction: float
) -> dict[str, Any]:
    for key in ("test_fraction", "validation_fraction", "keep_together", "allow_leaks"):
        extract.pop(key, None)
    drawn = {} if found.classes("test") else {"test_fraction": TEST_FRACTION}
    if validation_fraction:
        drawn["validation_fraction"] = validation_fraction
    extract = CommentedMap({**drawn, **({"keep_together": True} if drawn else {}), **extract})
    return {
        "layout": LAYOUT,
        "licence": LICENCE,
        "files": pinned.files,
        "sources": pinned.sources,
        "extract": extract,
    }


def _put(choices: Sequence[Choice], place: defaults.Place, section: CommentedMap) -> None:
    """Set the values of a section that were chosen, each with its reason beside it."""
    for choice in choices:
        if choice.place == place:
            section[choice.key] = _written(choice.value)
            section.yaml_add_eol_comment(choice.reason, choice.key, column=0)


def _written(value: Any) -> Any:
    """Return a section in braces, as DVC leaves it."""
    if not isinstance(value, Mapping):
        return value
    found = CommentedMap(value)
    found.fa.set_flow_style()
    return found
