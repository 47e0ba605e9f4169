"""The section of params.yaml of a data set in the CIFAR layout."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from imago.core import sections

Members = Annotated[list[sections.FileName], Field(min_length=1, max_length=100)]


class Extract(sections.Section):
    """How the archive becomes splits; members go by their names without folders."""

    archive: sections.FileName
    train: Members
    test: Members
    labels: sections.Text
    """Which list of labels to take, such as `labels` or `fine_labels`."""
    meta: sections.FileName
    """The member with the class names."""
    names: sections.Text
    """Which list of class names to take, such as `label_names` or `fine_label_names`."""

    @property
    def members(self) -> list[str]:
        """Every member that is read."""
        return [*self.train, *self.test, self.meta]


class Settings(sections.Dataset):
    """What params.yaml says of a data set in this layout."""

    layout: Literal["cifar"]
    extract: Extract

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        if list(self.files) != [self.extract.archive]:
            message = (
                f"files must hold extract.archive, {self.extract.archive}, alone, "
                f"got {', '.join(self.files)}"
            )
            raise ValueError(message)
        members = self.extract.members
        if twice := sorted({name for name in members if members.count(name) > 1}):
            message = f"extract must name each member once, got twice: {', '.join(twice)}"
            raise ValueError(message)
        return self
