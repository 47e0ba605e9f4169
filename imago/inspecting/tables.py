"""What was found in a data set, as tables that name files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imago.data.arrays import SplitName
from imago.inspecting.duplicates import Pair
from imago.inspecting.suspects import Suspects


@dataclass(frozen=True)
class Photos:
    """All images of a data set, augmented copies aside.

    Attributes:
        classes: K names.
        splits: Of each image.
        files: Of each, its path in the data set; or its split and row, where it is no file.
        labels: (N,), positions in the class names.
        sizes: (N, 2) width and height in pixels of each file; (0, 2) where they are not known.
    """

    classes: tuple[str, ...]
    splits: Sequence[SplitName]
    files: Sequence[str]
    labels: NDArray[np.int32]
    sizes: NDArray[np.int32]

    def class_of(self, row: int) -> str:
        """Return the name of an image's class."""
        return self.classes[int(self.labels[row])]


def kinds(photos: Photos) -> NDArray[np.intp]:
    """Return a number, (N,), that is the same for images of one class in one split."""
    splits, split = np.unique(photos.splits, return_inverse=True)
    return np.asarray(photos.labels * len(splits) + split, np.intp)


def counts(photos: Photos) -> pd.DataFrame:
    """Count the images of each class in each split, with the sizes of their files."""
    table = pd.DataFrame({"class": [photos.class_of(row) for row in range(len(photos.files))]})
    table["split"] = pd.Categorical(list(photos.splits), categories=["train", "validation", "test"])
    found = pd.crosstab(table["class"], table["split"]).reindex(list(photos.classes), fill_value=0)
    found.columns = list(found.columns)
    found["all"] = found.sum(axis=1)
    if len(photos.sizes):
        sizes = pd.DataFrame(photos.sizes, columns=["width_px", "height_px"])
        for column in sizes:
            by_class = sizes[column].groupby(table["class"]).median().reindex(list(photos.classes))
            found[f"median_{column}"] = by_class.round().astype(int)
    return found.reset_index(names="class")


def duplicates(photos: Photos, found: Sequence[Pair]) -> pd.DataFrame:
    """List pairs of photos of one picture; those that matter most first.

    Those with two labels, then those across splits, then all others.
    """
    rows = [
        {
            "path": photos.files[one.first],
            "class": photos.class_of(one.first),
            "split": photos.splits[one.first],
            "other_path": photos.files[one.second],
            "other_class": photos.class_of(one.second),
            "other_split": photos.splits[one.second],
            "kind": one.kind,
            "differing_bits": one.differing_bits,
            "row": one.first,
            "other_row": one.second,
        }
        for one in found
    ]
    columns = ["path", "class", "split", "other_path", "other_class", "other_split", "kind"]
    table = pd.DataFrame(rows, columns=[*columns, "differing_bits", "row", "other_row"])
    one_label = table["class"] == table["other_class"]
    one_split = table["split"] == table["other_split"]
    order = np.lexsort((table["row"], one_split, one_label))
    return table.iloc[order].reset_index(drop=True)


def suspects(photos: Photos, found: Suspects) -> pd.DataFrame:
    """List photos whose labels may be wrong, the most suspect first."""
    rows = found.rows.tolist()
    return pd.DataFrame(
        {
            "path": [photos.files[row] for row in rows],
            "class": [photos.class_of(row) for row in rows],
            "split": [photos.splits[row] for row in rows],
            "suggested": [photos.classes[label] for label in found.suggested.tolist()],
            "probability": found.probability.round(4),
            "probability_of_class": found.own.round(4),
            "row": rows,
        }
    )


def summary(found: Mapping[str, pd.DataFrame]) -> str:
    """Say in a line how much there is to look at."""
    pairs = found["duplicates"]
    two_labels = int((pairs["class"] != pairs["other_class"]).sum())
    across = int((pairs["split"] != pairs["other_split"]).sum())
    return (
        f"{len(pairs):,} pair{'s' * (len(pairs) != 1)} of one picture ({two_labels:,} with two "
        f"labels, {across:,} across splits), {len(found['suspects']):,} labels to look at, "
        f"{len(found['left_out']):,} files left out"
    )
