"""The section of params.yaml of archives with a folder of photos for each class, or a table."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from imago.core import sections

TABLES = (".csv", ".tsv", ".parquet", ".json")
"""Ends the names of tables that say which class a photo is of."""


class Extract(sections.Section):
    """Which photos are used, and how they are split."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the different photos of each class that is drawn for the test: where there is no
    test folder, and for these alone."""
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The same for validation; needs `keep_together`."""
    keep_together: bool = False
    """Draw photos that look alike, or that a table puts into one group, as one; and each group by
    itself, so that photos that come or go move no other. Else each share is exact."""
    greatest_unreadable_fraction: sections.Fraction
    """Share of the photos that may be unreadable; with more, the stage stops."""
    greatest_megapixels: Annotated[float, Field(gt=0, le=1_000)]
    """A photo with more counts as unreadable."""
    decisions_sha256: sections.Sha256 | None = None
    """Of decisions/<data set>.csv, which says what not to use and which labels are others; see
    `imago decide`."""
    allow_leaks: bool = False
    """Go on where a photo is in two splits, pixel for pixel."""

    @model_validator(mode="after")
    def _shares_fit_together(self) -> Self:
        if self.validation_fraction and not self.keep_together:
            message = "validation_fraction needs keep_together: true"
            raise ValueError(message)
        if (self.test_fraction or 0) + (self.validation_fraction or 0) >= 1:
            message = "test_fraction and validation_fraction must leave photos for training"
            raise ValueError(message)
        return self


class Settings(sections.Dataset):
    """What params.yaml says of a data set in this layout."""

    may_hold_validation: ClassVar[bool] = True

    layout: Literal["image_folder"]
    extract: Extract

    @model_validator(mode="after")
    def _there_are_archives(self) -> Self:
        tables = [name for name in self.files if name.lower().endswith(TABLES)]
        if len(tables) > 1 or len(tables) == len(self.files):
            message = (
                "files must be archives, and at most one table of their photos, got "
                f"{', '.join(self.files)}"
            )
            raise ValueError(message)
        return self
