"""The section of params.yaml of a zip with a folder of photos for each class."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from imago.core import sections


class Extract(sections.Section):
    """Which photos are used, and how they are split."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the different photos of each class that is drawn for the test: for zips without a
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
    def _there_is_one_zip(self) -> Self:
        if len(self.files) != 1:
            message = f"files must be one zip, got {len(self.files)}: {', '.join(self.files)}"
            raise ValueError(message)
        return self
