"""The sections of params.yaml that do not depend on a layout or an architecture.

No key that shapes a result has a default here: its value stands in params.yaml. A key that
switches a feature on may be left out, which leaves the feature off. Limits shape no result; those
that are left out have the defaults of `Limits`.
"""

import itertools
import math
import re
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from imago.core import digests

UNPUBLISHED = "unpublished"
"""In place of a digest that the publisher of a file does not give."""

PATTERNS = {
    r"^\w[\w-]*$": "a name of letters, digits, _ and -, not beginning with -",
    r"^[^/\\\s.-][^/\\\x00-\x1f]*$": "a file name, without folders, not beginning with . or -",
    r"^[0-9a-f]{64}$": "a sha256, 64 characters of 0-9 and a-f",
    rf"^([0-9a-f]{{64}}|{digests.MD5}[0-9a-f]{{32}}|{UNPUBLISHED})$": (
        f"a sha256, 64 characters of 0-9 and a-f, or {digests.MD5} and 32 of them, or {UNPUBLISHED}"
    ),
    r"^prepared/[\w-]+$": "prepared/<variant>",
    r"^(prepared|features)/[\w-]+$": "prepared/<variant> or features/<name>",
    r"^\P{Cc}{1,500}$": "1 to 500 characters, none of them a control character",
}
"""Regular expressions of texts: what they must be, in words."""

_NAME, _FILE_NAME, _SHA256, _DIGEST, _PIXELS, _INPUT, _TEXT = PATTERNS
_READ_IN_TWO_WAYS = re.compile(
    r"[0-9][0-9_]*(e-?[0-9]+)?|0[box][0-9a-f_]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|true|false|null",
    re.IGNORECASE,
)
"""What some reader of YAML takes for a number, a date or a word of its own, without quotes."""
_NAME_BYTES, _FILE_NAME_BYTES = 100, 200
"""File systems have 255, of which suffixes and names of temporary files take some."""
_MISUNDERSTOOD_BY_DVC = ("size", "nfiles")
"""DVC takes the values under these keys for those of an output, and misses that they changed."""


def is_a_name_to_all(name: str) -> str:
    """Return a name of an entry that every reader of YAML takes for one. Raises ValueError."""
    if _READ_IN_TWO_WAYS.fullmatch(name):
        message = f"a name must not look like a number, a date or a word of YAML, got {name!r}"
        raise ValueError(message)
    return _is_short(name, _NAME_BYTES)


def _is_a_file_name_to_all(name: str) -> str:
    if name in _MISUNDERSTOOD_BY_DVC:
        message = f"a file must not be named {name}, which DVC takes for something else"
        raise ValueError(message)
    return _is_short(name, _FILE_NAME_BYTES)


def _is_short(name: str, greatest_bytes: int) -> str:
    if (count := len(name.encode())) > greatest_bytes:
        message = f"a name must have at most {greatest_bytes} bytes, got {count}"
        raise ValueError(message)
    return name


Name = Annotated[str, Field(pattern=_NAME), AfterValidator(is_a_name_to_all)]
"""A key that names a stage, a folder and a file."""
FileName = Annotated[str, Field(pattern=_FILE_NAME), AfterValidator(_is_a_file_name_to_all)]
Text = Annotated[str, Field(pattern=_TEXT)]
"""A line for a person, such as the name of a class."""
Sha256 = Annotated[str, Field(pattern=_SHA256)]
Digest = Annotated[str, Field(pattern=_DIGEST)]
"""A sha256; or, where whoever publishes a file gives none, an MD5, or UNPUBLISHED."""
Pixels = Annotated[str, Field(pattern=_PIXELS)]
"""A folder under data/ that holds splits of images."""
Input = Annotated[str, Field(pattern=_INPUT)]
"""A folder under data/ that holds splits of images, or of their features."""
Fraction = Annotated[float, Field(ge=0, lt=1)]
Dropout = Annotated[float, Field(ge=0, le=0.99)]
"""A share of outputs zeroed in training; the others grow by 1 / (1 - share)."""
Positive = Annotated[int, Field(gt=0, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, le=1_000)]
Layers = Annotated[list[Annotated[int, Field(gt=0, le=2**14)]], Field(max_length=64)]
"""Units or feature maps of layers, from the input on."""
Sources = Annotated[list[Text], Field(min_length=1, max_length=100)]

GREATEST_WEIGHTS = 2**28
"""Of a model: 1 GB, of which training needs three or four times as much."""
GREATEST_BATCH_NUMBERS = 2**30
"""Of a batch, in one layer: 4 GB."""


class Section(BaseModel):
    """A part of params.yaml: frozen, unknown keys forbidden, no conversion between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


GB = 10**9


class Limits(Section):
    """The most that is taken in, lest a broken or hostile source fill disk or memory or never end.

    No stage depends on them: what keeps within them has the same bytes whatever they are.
    """

    download_gb: Annotated[float, Field(gt=0, le=1_000_000)] = 4
    """Of one file, as it is sent. Most have less than 1; Food-101's 5 are worth a line."""
    download_hours: Annotated[float, Field(gt=0, le=1_000)] = 12
    """For one file or package, all attempts together: 4 GB at 0.75 Mbit/s."""
    download_bytes_per_s: Annotated[int, Field(ge=0, le=GB)] = 1_000
    """The least, over each half minute: modems of 1984 were no slower."""
    unpacked_gb: Annotated[float, Field(gt=0, le=1_000_000)] = 500
    """Of all that is in an archive; ImageNet has 155."""
    unpacked_ratio: Annotated[float, Field(ge=1, le=1_000_000)] = 50
    """How many times its own bytes an archive may hold. Photos come to 1, MNIST's digits to 5,
    bombs to 1,032 in one layer; archives of up to `FREELY_UNPACKED_BYTES` may have any."""

    FREELY_UNPACKED_BYTES: ClassVar[int] = 2**26

    @property
    def download_bytes(self) -> int:
        """The most that one file may have as it is sent."""
        return round(self.download_gb * GB)

    def deadline_s(self) -> float:
        """Return when, on the clock of `time.monotonic`, a download that begins now must end."""
        return time.monotonic() + self.download_hours * 3600

    def unpacked_bytes(self, packed_bytes: int) -> int:
        """Return the most that an archive of so many bytes may hold."""
        by_ratio = max(self.FREELY_UNPACKED_BYTES, round(self.unpacked_ratio * packed_bytes))
        return min(by_ratio, round(self.unpacked_gb * GB))


DEFAULT_LIMITS = Limits()


class Dataset(Section):
    """What every data set has; each layout adds its own `extract` section."""

    may_hold_validation: ClassVar[bool] = False
    """Whether files in this layout can come with a validation split of their own."""

    layout: str
    licence: Text
    """In words: for whoever reads a report, what may be done with the data."""
    files: Annotated[dict[FileName, Sha256], Field(min_length=1)]
    """Name in data/raw/<data set>: sha256 of the file's bytes, whatever source serves it."""
    sources: Sources
    """Where to look for the files, in this order; see imago.sources."""
    limits: Limits = DEFAULT_LIMITS


class RandomResizedCrop(Section):
    """A part of an image, brought to the size of the whole."""

    least_area: Annotated[float, Field(gt=0, lt=1)]
    """Of the part, as a share of the image's."""
    greatest_stretch: Annotated[float, Field(ge=1, le=10)]
    """Of its width by its height, or the other way round, relative to the image's."""


class Augment(Section):
    """Random changes of an image that leave its class as it is; what is left out stays as it is."""

    rotation_degrees: Annotated[float, Field(gt=0, le=180)] | None = None
    """To either side, at most."""
    zoom: Annotated[float, Field(gt=0, le=0.9)] | None = None
    """Larger or smaller by at most this share, the same along both sides."""
    shift: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Along each side, at most this share of it."""
    horizontal_flip: bool = False
    """In half of the draws."""
    brightness: Annotated[float, Field(gt=0, le=1)] | None = None
    """Lighter or darker by at most this share of 255."""
    contrast: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Differences from the image's mean larger or smaller by at most this share."""
    random_resized_crop: RandomResizedCrop | None = None

    @model_validator(mode="after")
    def _something_changes(self) -> Self:
        if not any(self.model_dump().values()):
            message = f"must have one or more of {', '.join(type(self).model_fields)}"
            raise ValueError(message)
        return self


class LimitPerClass(Section):
    """At most so many images of each class, drawn at random."""

    train: Positive | None = None
    """Before validation images are held out."""
    test: Positive | None = None

    @model_validator(mode="after")
    def _something_is_limited(self) -> Self:
        if self.train is None and self.test is None:
            message = "must have train, test or both"
            raise ValueError(message)
        return self


class Prepare(Section):
    """A variant: one data set at one size and colour, split and, if wanted, augmented."""

    dataset: str
    image_size_px: Annotated[int, Field(gt=0, le=1024)]
    color: Literal["grayscale", "rgb"]
    fit: Literal["stretch", "crop", "pad"]
    """How an image that is not square becomes so."""
    interpolation: Literal["area", "cubic", "lanczos", "linear", "nearest"]
    validation_fraction: Fraction
    """Share of the training images held out, the same from each class."""
    limit_per_class: LimitPerClass | None = None
    augment: Augment | None = None
    """Of the training images only."""
    views: Annotated[int, Field(gt=0, le=100)] | None = None
    """Augmented copies of each training image, beside the image itself."""

    @model_validator(mode="after")
    def _augment_and_views_come_together(self) -> Self:
        if (self.augment is None) != (self.views is None):
            there, absent = ("augment", "views") if self.augment else ("views", "augment")
            message = f"{there} needs {absent} beside it"
            raise ValueError(message)
        return self


class Weights(Section):
    """Published weights of a backbone."""

    files: Annotated[dict[FileName, Digest], Field(min_length=1)]
    """Name in data/weights/<name>: sha256 of the file's bytes, or `md5:` and their MD5 where
    whoever publishes it gives that alone, or `unpublished` where none: then whatever a source gives
    is taken, and dvc.lock records it."""
    sources: Sources
    """As those of a data set."""
    limits: Limits = DEFAULT_LIMITS


SMALLEST_BACKBONE_PX = 32
"""Along each side of an image: every backbone halves its maps five times."""


class Backbone(Section):
    """A pretrained net that learns nothing, for images of one size."""

    net: str
    """A net of imago.backbones."""
    weights: str
    """A name in the section `weights`."""
    image_size_px: Annotated[int, Field(ge=SMALLEST_BACKBONE_PX, le=1024)]
    pooling: Literal["average", "max"]
    """Over the positions of the net's last maps."""


class Features(Section):
    """What a backbone makes of a variant's images, one vector for each."""

    variant: str
    backbone: str
    """A name in the section `backbones`."""


class EarlyStopping(Section):
    """Stop when a validation metric no longer improves, and keep the best epoch's weights."""

    monitor: Literal["validation_loss", "validation_accuracy"]
    patience_epochs: Positive


class CosineDecay(Section):
    """From the learning rate down to a fraction of it along half a cosine over all epochs."""

    kind: Literal["cosine"]
    warmup_epochs: Annotated[int, Field(ge=0, le=1_000_000)]
    """Epochs in which the rate first climbs from 0 in a straight line."""
    final_fraction: Annotated[float, Field(ge=0, le=1)]


class ExponentialDecay(Section):
    """Times `factor` over every `every_epochs`, smoothly."""

    kind: Literal["exponential"]
    factor: Annotated[float, Field(gt=0, lt=1)]
    every_epochs: Positive


def _is_switch(value: object) -> object:
    if value == "auto" or isinstance(value, bool):
        return value
    rule = "must be true, false or 'auto'"
    raise PydanticCustomError(rule, rule)


Switch = Annotated[bool | Literal["auto"], BeforeValidator(_is_switch)]


class Optimization(Section):
    """How weights are fitted to examples."""

    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Rate
    momentum: Annotated[float, Field(gt=0, lt=1)] | None = None
    """For sgd and rmsprop."""
    weight_decay: Rate | None = None
    learning_rate_schedule: (
        Annotated[CosineDecay | ExponentialDecay, Field(discriminator="kind")] | None
    ) = None
    epochs: Positive
    batch_size: Positive
    early_stopping: EarlyStopping | None = None
    class_weights: Literal["balanced"] | None = None
    """balanced: an example counts the more, the fewer its class has."""
    label_smoothing: Annotated[float, Field(gt=0, lt=1)] | None = None
    """This share of each label goes to all classes alike, so that none is learnt as certain."""
    mixup: Annotated[float, Field(ge=0.01, le=100)] | None = None
    """Each example is mixed with another of its batch, by shares drawn from Beta(mixup, mixup)."""
    jit_compile: Switch
    """Compile with XLA: several times faster for dense nets; for convolutions on a GPU, and slower
    on a processor. auto: on a GPU only."""

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


Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]


class Certainty(Section):
    """What is found after a training, by images new to it, of how far it may be believed."""

    temperature: bool
    """Whether the probabilities are scaled until they are right as often as they say."""
    neighbors: Annotated[int, Field(gt=0, le=100_000)] | None = None
    """How many training images, at most, the model remembers, to tell what is unlike them."""
    folds: Annotated[int, Field(ge=2, le=20)] | None = None
    """The training images are asked, each of a head that has learnt from the other folds. None:
    the validation images are."""


class Train(Optimization):
    """What every architecture's training has; each adds its own keys."""

    convolutional: ClassVar[bool] = False
    """Whether the model finds things in places of an image, so that a map can show where."""

    model: str
    certainty: Certainty | None = None
    """Needs validation images, or `folds`."""
    precision: Precision | None = None
    """What the training computes with; weights and the model that it ends with are float32."""

    def misfit(self, image_shape: tuple[int, int, int]) -> str | None:
        """Say why there can be no such model of images (H, W, C), None if there can."""
        return too_large(0, self.batch_size * math.prod(image_shape))


class TrainOnPixels(Train):
    """What the training of every architecture that takes images has."""

    normalization: Literal["rescale", "standardize"]
    """rescale: pixels to 0..1; standardize: mean 0, variance 1 over the training split."""
    augment: Augment | None = None
    """Drawn anew for each image in each epoch."""


class FineTune(Optimization):
    """A second phase, on pixels, in which the end of the backbone learns as well.

    No key of the first phase holds for it, class_weights and early_stopping neither.
    """

    layers: Positive
    """How many of the backbone's last layers with weights; batch normalization stays frozen."""
    augment: Augment | None = None
    """Drawn anew for each image in each epoch."""


class TrainOnFeatures(Train):
    """What the training of every head on a frozen backbone has."""

    convolutional = True

    fine_tune: FineTune | None = None

    def misfit(self, image_shape: tuple[int, int, int]) -> str | None:
        """Say why there can be no fine-tuning on images (H, W, C), None if there can."""
        batch_size = self.fine_tune.batch_size if self.fine_tune else 0
        # In its first maps a backbone has some eight times the numbers of its pixels.
        return too_large(0, 8 * batch_size * math.prod(image_shape))


class Unsure(Section):
    """When a model says that it does not know; chosen by what `certainty` found.

    Of precision and coverage one at most; for either an answer must be probable enough.
    """

    precision: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of its answers that are to be right, such as 0.99."""
    coverage: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the images that are to get an answer."""
    unlike: Annotated[float, Field(ge=0, le=0.5)] | None = None
    """Share of the right answers given up to refuse what is unlike the training images; needs
    `certainty.neighbors` in the training."""

    @model_validator(mode="after")
    def _something_is_wanted(self) -> Self:
        if self.precision is not None and self.coverage is not None:
            message = "must have precision or coverage, got both"
            raise ValueError(message)
        if all(value is None for value in self.model_dump().values()):
            message = f"must have one or more of {', '.join(type(self).model_fields)}"
            raise ValueError(message)
        return self


class Export(Section):
    """Which formats a model is exported to, and how near to Keras each must be."""

    formats: Annotated[list[str], Field(min_length=1)]
    """Names of formats of imago.exports, written in this order."""
    greatest_difference: Annotated[float, Field(gt=0, lt=1)]
    """How far a probability may be from Keras' own before the stage fails; of formats whose weights
    are as exact as Keras' own: not of litert_fp16 and litert_int8."""
    greatest_accuracy_loss: Annotated[float, Field(ge=0, lt=1)]
    """How many fewer images than Keras a format may get right, as a share of the test images, on
    top of what chance explains."""
    calibration_images: Positive
    """Training images, drawn at random, by which litert_int8 learns what values there are."""
    unsure: Unsure | None = None
    """None: the model answers with one of its classes in any case."""

    @field_validator("formats")
    @classmethod
    def _names_differ(cls, formats: list[str]) -> list[str]:
        if len(set(formats)) < len(formats):
            twice = next(name for name in formats if formats.count(name) > 1)
            message = f"must name each format once, got {twice} twice"
            raise ValueError(message)
        return formats


def too_large(weights: int, batch_numbers: int) -> str | None:
    """Say that a model or what it makes of a batch is larger than can be, None if it is not."""
    if weights > GREATEST_WEIGHTS:
        return f"must have at most {GREATEST_WEIGHTS:,} weights, got {weights:,}; use fewer units"
    if batch_numbers > GREATEST_BATCH_NUMBERS:
        return (
            f"must make at most {GREATEST_BATCH_NUMBERS:,} numbers of a batch in each layer, got "
            f"{batch_numbers:,}; use a smaller batch_size"
        )
    return None


def dense_weights(inputs: int, units: Sequence[int]) -> int:
    """Count the weights of dense layers one after the other, biases aside."""
    return sum(before * after for before, after in itertools.pairwise([inputs, *units]))
