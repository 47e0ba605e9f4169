"""The images of a variant's split, any piece of which can be made apart from the others."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imago.core import sections
from imago.data.rows import Rows
from imago.images import augment
from imago.images.forms import Form
from imago.preparing import conversion, views


@dataclass(frozen=True)
class Piece:
    """Images on their way to one form, each followed by its augmented copies; can be pickled.

    Attributes:
        images: What they are made from.
        form: To be brought to.
        copies: That follow each; 0: there is nothing to draw.
        changes: What makes copies differ. None: they do not.
        seed: Of the draws for all copies of the split.
        before: Images of the split before these.
    """

    images: Rows
    form: Form
    copies: int
    changes: sections.Augment | None
    seed: int
    before: int = 0

    def between(self, first: int, last: int) -> "Cut":
        """Return what makes the rows from `first` to before `last`, copies counted."""
        step = 1 + self.copies
        start, end = first // step, -(-last // step)
        images = Rows(self.images.images, self.images.positions[start:end])
        whole = Piece(images, self.form, self.copies, self.changes, self.seed, start)
        return Cut(whole, first - start * step, last - first)

    def blocks(self) -> Iterator[NDArray[np.uint8]]:
        """Yield (n, *form.shape) uint8, 0-255, in order."""
        made = conversion.converted(self.images.images, self.images.positions, self.form)
        if not self.copies or self.changes is None:
            return made
        generator = np.random.default_rng(self.seed)
        augment.skip(self.changes, self.before * self.copies, generator)
        draw = functools.partial(augment.draw, self.changes, generator=generator)
        return views.interleaved(made, self.copies, draw)


@dataclass(frozen=True)
class Cut:
    """Some rows of a piece, which may begin and end among an image's copies."""

    piece: Piece
    skipped: int
    rows: int

    def __call__(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the rows in blocks."""
        skipped, left = self.skipped, self.rows
        for block in self.piece.blocks():
            part = block[skipped : skipped + left]
            skipped -= min(skipped, len(block))
            left -= len(part)
            yield part
