"""Training images above what augmentation makes of them, where there is any."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from imago.core import sections
from imago.drawing import augmented
from imago.figures._subject import Subject
from imago.images import augment

TITLE = "Augmented views"
CAPTION = "Originals and their changed copies: the class must still be seen in each."
SECTION, PLACE = "data", 20

EPOCHS_SHOWN = 3
"""Of an augmentation that is drawn anew in each."""
AREA_PX = 150_000
"""At most the area of originals and their views: 110 kB for photos."""


def draw(subject: Subject) -> Figure | None:
    """Draw the copies that the variant has, or else those of the first epochs."""
    views, classes = subject.data.views, subject.classes
    originals, copies, labels = augmented.sample(subject.train, views, len(classes))
    changes = changes_in_training(subject.settings.train)
    if not views and changes:
        copies = redrawn(originals, changes, EPOCHS_SHOWN, subject.seed)
    if not len(copies):
        return None
    names = [classes[label] for label in labels]
    return augmented.preview(originals, copies, names, AREA_PX)


def changes_in_training(training: sections.Train) -> sections.Augment | None:
    """Return the changes that are drawn anew in each epoch, if any."""
    if isinstance(training, sections.TrainOnPixels):
        return training.augment
    if isinstance(training, sections.TrainOnFeatures) and training.fine_tune:
        return training.fine_tune.augment
    return None


def redrawn(
    originals: NDArray[np.uint8], changes: sections.Augment, times: int, seed: int
) -> NDArray[np.uint8]:
    """Augment images, (n, H, W, C) uint8, as a training does it anew in each epoch.

    Returns:
        (times, n, H, W, C) uint8.
    """
    generator = np.random.default_rng(seed)
    draws = [augment.draw(changes, len(originals), generator) for _ in range(times)]
    return np.stack([augment.apply(originals, rows) for rows in draws])
