"""Which split the name of a folder speaks of."""

import re

from imago.core import photo_names
from imago.data.arrays import SplitName

NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "training_set": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "test_set": "test",
    "testing": "test",
}
"""What folders that hold class folders may be called, in any case; a class hardly ever is."""

_WORDS: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn", "trainset"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "testset", "eval", "holdout"), "test"),
}
"""Words within a name: of a split, where the folders beneath say so too."""
_UNLABELLED = frozenset({"pred", "predict", "prediction", "unlabeled", "unlabelled", "unsup"})
_NO_LABEL = ("no_label", "_unlabeled")
"""What CVAT and FiftyOne call the folder, beside those of classes, of photos without a tag. Source:
the code of Datumaro, by which CVAT exports, of the format ImageNet; FiftyOne's documentation, of
ImageClassificationDirectoryTree."""
_WORD = re.compile(r"[^\W\d_]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def exact(name: str) -> SplitName | None:
    """Return the split that a folder with this name is, if it holds class folders."""
    return NAMES.get(photo_names.folded(name))


def likely(name: str) -> SplitName | None:
    """Return the split that a name speaks of, as seg_train, TestSet and val2017 do."""
    found = {_WORDS[word] for word in _words(name) if word in _WORDS}
    return exact(name) or (found.pop() if len(found) == 1 else None)


def is_unlabelled(name: str) -> bool:
    """Tell the name of a folder whose photos have no class."""
    return not _UNLABELLED.isdisjoint(_words(name))


def is_without_label(name: str) -> bool:
    """Tell the name of a folder, beside those of classes, whose photos nobody has labelled."""
    return photo_names.folded(name) in _NO_LABEL


def _words(name: str) -> list[str]:
    return _WORD.findall(photo_names.folded(_HUMP.sub("_", name)))
