"""The section of params.yaml of a data set in the IDX layout."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from imago.core import sections


class Pair(sections.Section):
    """The two files of a split."""

    images: sections.FileName
    labels: sections.FileName


class Extract(sections.Section):
    """How the files become splits."""

    classes: Annotated[list[sections.Text], Field(min_length=2, max_length=256)]
    """Names, in the order of the labels, which are bytes."""
    train: Pair
    test: Pair

    @field_validator("classes")
    @classmethod
    def _names_are_unique(cls, classes: list[str]) -> list[str]:
        if twice := sorted({name for name in classes if classes.count(name) > 1}):
            message = f"class names must be unique, got twice: {', '.join(twice)}"
            raise ValueError(message)
        return classes


class Settings(sections.Dataset):
    """What params.yaml says of a data set in this layout."""

    layout: Literal["idx"]
    extract: Extract

    @model_validator(mode="after")
    def _each_file_is_used_once(self) -> Self:
        pairs = (self.extract.train, self.extract.test)
        used = [name for pair in pairs for name in (pair.images, pair.labels)]
        for name in used:
            if name not in self.files:
                message = f"extract must name files of {', '.join(self.files)}, got {name}"
                raise ValueError(message)
            if used.count(name) > 1:
                message = f"extract must name each file once, got {name} {used.count(name)} times"
                raise ValueError(message)
        if unused := [name for name in self.files if name not in used]:
            message = f"extract must use every file, and leaves out {', '.join(unused)}"
            raise ValueError(message)
        return self
