"""Decisions on the photos of a data set: a first draft from what the stage inspect found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from imago import params
from imago.core import files, paths
from imago.core.errors import DataError, ParamsError
from imago.datasets.image_folder import decisions, folders
from imago.datasets.image_folder.decisions import Decision
from imago.datasets.image_folder.settings import TABLES
from imago.datasets.image_folder.settings import Settings as Photos
from imago.params import Params
from imago.project import check, yaml_text
from imago.sources import photo_folders

RELABEL_FROM, DROP_FROM = 0.7, 0.5
"""Probability of another class from which a draft takes that for the label, or drops the photo. Of
the 54 wrong labels of training photos in bench.planted, these put 44 right and dropped 8; of the
right ones they changed 7 and dropped 12, photos that are hard to tell."""
FEW = 2
"""Photos that are never too many, however small their class."""
GREATEST_CONFUSED = 0.125
"""Share of a class, from which on photos of it that look like one other class are left to a person:
so many are seldom wrong labels, but two classes that the features do not tell apart. Of 1,500
photos in four classes, by what is on them and whether they are dark, 79 right labels would have
been changed without it, and 4 are with it; wrong ones are put right 12 times, without it 17."""
UNSURE = "of which it is less sure"
CONFUSED = (
    ": too many for wrong labels, so these may be classes that the features do not tell apart"
)
NOT_LEARNT_FROM = {
    "validation": "of validation: by these a model says how sure it may be",
    "test": "of the test: a model must not choose what it is tested on",
}
"""Why suspects are left out of a draft."""


@dataclass(frozen=True)
class Taken:
    """What was taken up.

    Attributes:
        path: The table.
        decided: All of them; none where there is nothing to draft, and no table is written.
        is_draft: Whether the table is new.
        left_out: Why suspects are left out of a draft, in words: how many of them.
        page: What lists them.
        is_withdrawn: Whether the table is gone, and params.yaml holds to none any more.
        stage: That looks at the photos.
    """

    path: Path
    decided: list[Decision]
    is_draft: bool
    left_out: Mapping[str, int] = field(default_factory=dict)
    page: Path | None = None
    is_withdrawn: bool = False
    stage: str = ""


def take_up(dataset: str) -> Taken:
    """Write a draft of a data set's decisions, or check those that are there; pin them.

    Where the table is gone that params.yaml holds to, that is taken out of it, and nothing drafted:
    what was found is of the photos as they had been decided on.

    Args:
        dataset: In the section `datasets`, of the layout image_folder.

    Raises:
        DataError: There is nothing to draft from, or a row breaks a rule.
        ParamsError: There is no such data set, or params.yaml breaks a rule.
    """
    settings = params.load()
    found = params.pick(settings.datasets, "data set", dataset)
    if not isinstance(found, Photos):
        message = (
            f"{paths.PARAMS}: datasets.{dataset}: decisions are on photos, got layout "
            f"{found.layout}"
        )
        raise ParamsError(message)
    keys = ["datasets", dataset, "extract", "decisions_sha256"]
    table = paths.decisions(dataset)
    is_draft = not table.exists()
    if is_draft and found.extract.decisions_sha256:
        _write(yaml_text.remove(_text(), *keys))
        stage = next(iter(_stages(dataset, settings)), "inspect")
        return Taken(table, [], is_draft, is_withdrawn=True, stage=stage)
    listed = _listed(dataset, found.files)
    left_out: dict[str, int] = {}
    page = None
    if is_draft:
        folder = _inspected(dataset, settings)
        page = folder / "index.html"
        drafted, left_out = draft(folder)
        # A stage that was run by itself may have looked before photos were taken out.
        drafted = [one for one in drafted if listed is None or one.photo in listed]
        if not drafted:
            return Taken(table, [], is_draft, left_out, page)
        decisions.write(table, drafted)
    decided = decisions.read(table)
    if listed is not None:
        by_folders = len(found.files) == 1  # and by no table
        classes = folders.arrange(list(listed), dataset).counts() if by_folders else None
        decisions.check(table, decided, {*listed, *listed.values()}, classes)
    _write(yaml_text.put(_text(), keys, files.sha256(table)))
    return Taken(table, decided, is_draft, left_out, page)


def _text() -> str:
    """Read params.yaml with the line ends that it has."""
    return paths.PARAMS.read_bytes().decode()


def _write(text: str) -> None:
    params.parse(text)
    files.write_text(paths.PARAMS, text)


def _listed(dataset: str, names: Iterable[str]) -> dict[str, str] | None:
    """Return the sha256 of each photo, by its path, of a data set that is a folder of photos."""
    archives = [name for name in names if not name.lower().endswith(TABLES)]
    listing = paths.listing(dataset)
    is_folder = len(archives) == 1 and listing.exists()
    return photo_folders.read_listing(listing) if is_folder else None


def _inspected(dataset: str, settings: Params) -> Path:
    """Return the folder of what was found in a data set as it is now. Raises DataError."""
    folders = {stage: paths.inspection(name) for stage, name in _stages(dataset, settings).items()}
    there = {stage: folder for stage, folder in folders.items() if folder.is_dir()}
    if not there:
        message = (
            f"{dataset}: nobody has looked at it yet; run `dvc repro {' '.join(folders)}`"
            if folders
            else f"{dataset}: no features are of it, by which to look at it; add an experiment on "
            "features, or write the table by hand"
        )
        raise DataError(message)
    found = check.staleness()
    stale = {*found.reasons, *found.followers, *found.never_run}
    current = [folder for stage, folder in there.items() if stage not in stale]
    if not current:
        message = (
            f"{dataset}: has changed since it was looked at, in its photos, params.yaml or the "
            f"code; run `dvc repro {next(iter(there))}`"
        )
        raise DataError(message)
    return current[0]


def _stages(dataset: str, settings: Params) -> dict[str, str]:
    """Return the stages that look at a data set, each with the name of its features."""
    return {
        f"inspect@{name}": name
        for name, features in settings.features.items()
        if settings.prepare[features.variant].dataset == dataset
    }


def draft(folder: Path) -> tuple[list[Decision], dict[str, int]]:
    """Make decisions of what was found: to be looked at, and changed, by a person.

    No test photo is dropped or labelled anew because a model doubts it: what is left would look
    easier than what comes. Nor is a validation photo, by which a model says how sure it may be.

    Args:
        folder: What the stage inspect wrote.

    Returns:
        The decisions; and why suspects are left out, in words: how many of them.
    """
    made = {}
    suspects = _read(folder, "suspects.csv").astype({"probability": float})
    reasons = _reasons_against(suspects, _read(folder, "counts.csv"))
    for row in suspects[reasons == ""].to_dict("records"):
        why = f"rather {row['suggested']}, {row['probability']:.0%}"
        relabels = row["probability"] >= RELABEL_FROM
        made[row["path"]] = Decision(
            row["path"], "label" if relabels else "drop", row["suggested"] if relabels else "", why
        )
    for row in _read(folder, "duplicates.csv").to_dict("records"):
        both = row["path"], row["other_path"]
        if row["class"] != row["other_class"] and made.keys().isdisjoint(both):
            labels = f"{row['class']} and {row['other_class']}"
            made |= {one: Decision(one, "drop", "", f"one picture as {labels}") for one in both}
        elif row["split"] != row["other_split"] and row["class"] == row["other_class"]:
            learnt, kept = both  # train before validation before test
            why = f"the same picture as {kept}, in another split"
            made.setdefault(learnt, Decision(learnt, "drop", "", why))
    left_out = reasons[reasons != ""].value_counts(sort=False)
    return list(made.values()), {str(why): int(count) for why, count in left_out.items()}


def _reasons_against(suspects: pd.DataFrame, counts: pd.DataFrame) -> pd.Series:
    """Say of each suspect why it is left out of a draft; an empty text where it is not."""
    size = suspects["class"].map(counts.set_index("class")["all"].astype(int)).astype(float)
    alike = suspects.groupby(["class", "suggested"])["split"].transform("count").astype(int)
    names = suspects["class"] + " that look like " + suspects["suggested"]
    reasons = pd.Series("", suspects.index, dtype=object)
    reasons[suspects["probability"] < DROP_FROM] = UNSURE
    are_confused = (alike > FEW) & (alike >= GREATEST_CONFUSED * size)
    are_confused &= suspects["split"] == "train"
    reasons[are_confused] = "of " + names[are_confused] + CONFUSED
    for split, why in NOT_LEARNT_FROM.items():
        reasons[suspects["split"] == split] = why
    return reasons


def _read(folder: Path, name: str) -> pd.DataFrame:
    """Read a table as text, for a class can be named 7, NA or true."""
    return pd.read_csv(folder / name, keep_default_na=False, dtype=str)
