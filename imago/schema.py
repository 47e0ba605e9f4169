"""The sections of params.yaml that do not depend on a layout or an architecture.

No key that shapes a result has a default here: its value stands in params.yaml. A key that
switches a feature on may be left out, which leaves the feature off.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

PATTERNS = {
    r"^[A-Za-z0-9_][A-Za-z0-9_-]*$": "a name of letters, digits, _ and -, not beginning with -",
    r"^[A-Za-z0-9_][^/\\]*$": "a file name, without folders, beginning with a letter, digit or _",
    r"^[0-9a-f]{64}$": "a sha256, 64 characters of 0-9 and a-f",
    r"^prepared/[A-Za-z0-9_-]+$": "prepared/<variant>",
}
"""Regular expressions of texts: what they must be, in words."""

_NAME, _FILE_NAME, _SHA256, _INPUT = PATTERNS
Name = Annotated[str, Field(pattern=_NAME)]
"""A key that names a stage, a folder and a file."""
FileName = Annotated[str, Field(pattern=_FILE_NAME)]
Sha256 = Annotated[str, Field(pattern=_SHA256)]
Input = Annotated[str, Field(pattern=_INPUT)]
"""A folder under data/ that holds splits."""
Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A part of params.yaml: frozen, unknown keys forbidden, no conversion between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Dataset(Section):
    """What every data set has; each layout adds its own `extract` section."""

    layout: str
    files: Annotated[dict[FileName, Sha256], Field(min_length=1)]
    """Name in data/raw/<data set>: sha256 of the file's bytes, whatever source serves it."""
    sources: Annotated[list[str], Field(min_length=1)]
    """Where to look for the files, in this order; see imago.sources."""


class Prepare(Section):
    """A variant: one data set at one size and colour, split."""

    dataset: str
    image_size_px: Positive
    color: Literal["grayscale", "rgb"]
    validation_fraction: Fraction
    """Share of the training images held out, the same from each class."""


class EarlyStopping(Section):
    """Stop when a validation figure no longer improves, and keep the best epoch's weights."""

    monitor: Literal["validation_loss", "validation_accuracy"]
    patience_epochs: Positive


class CosineDecay(Section):
    """From the learning rate down to a fraction of it along half a cosine over all epochs."""

    kind: Literal["cosine"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    """Epochs in which the rate first climbs from 0 in a straight line."""
    final_fraction: Annotated[float, Field(ge=0, le=1)]


class ExponentialDecay(Section):
    """Times `factor` over every `every_epochs`, smoothly."""

    kind: Literal["exponential"]
    factor: Annotated[float, Field(gt=0, lt=1)]
    every_epochs: Positive


class Train(Section):
    """What every architecture's training has; each adds its own keys."""

    model: str
    normalization: Literal["rescale", "standardize"]
    """rescale: pixels to 0..1; standardize: mean 0, variance 1 over the training split."""
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0)]
    momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    """For sgd and rmsprop."""
    weight_decay: Annotated[float, Field(gt=0)] | None = None
    learning_rate_schedule: (
        Annotated[CosineDecay | ExponentialDecay, Field(discriminator="kind")] | None
    ) = None
    epochs: Positive
    batch_size: Positive
    early_stopping: EarlyStopping | None = None
    jit_compile: bool
    """Compile each epoch with XLA: several times faster for dense nets, slower for convolutions."""

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if faults := list(self._mismatches()):
            raise ValueError("; ".join(faults))
        return self

    def _mismatches(self) -> Iterator[str]:
        if self.momentum is not None and self.optimizer not in ("sgd", "rmsprop"):
            yield f"momentum is for sgd and rmsprop, and optimizer is {self.optimizer}"
        if self.weight_decay is None and self.optimizer == "adamw":
            yield "adamw needs weight_decay, such as 0.004"
        schedule = self.learning_rate_schedule
        if isinstance(schedule, CosineDecay) and schedule.warmup_epochs >= self.epochs:
            yield (
                f"learning_rate_schedule.warmup_epochs must be less than epochs, {self.epochs}, "
                f"got {schedule.warmup_epochs}"
            )


class Evaluate(Section):
    """How the test split is scored."""

    batch_size: Positive


class Export(Section):
    """Which formats a model is exported to."""

    formats: Annotated[list[Literal["litert", "saved_model"]], Field(min_length=1)]
    greatest_difference: Annotated[float, Field(gt=0, lt=1)]
    """How far a probability may be from Keras' own before the stage fails."""
