"""The single values of params.yaml: each fault is one line that names the key and the value."""

import pytest

from imago import params
from imago.core import sections
from imago.core.errors import ParamsError
from imago.datasets.idx.settings import Settings
from imago.models import mlp
from tests.params_text import (
    EARLY_STOPPING,
    EPOCHS,
    FILE_NAME,
    NAME,
    OPTIMIZER,
    QUOTED_NUMBER,
    RATE,
    SCHEDULE,
    TEXT,
    changed,
    fault,
    lines_saying,
)


def test_sections_are_typed():
    settings = params.parse(TEXT)

    assert settings.seed == 20
    pets = settings.datasets["pets"]
    assert isinstance(pets, Settings)
    assert pets.files == dict.fromkeys("abcd", "f" * 64)
    assert pets.extract.classes == ["cat", "dog"]
    assert settings.prepare["pets4"].validation_fraction == 0.2
    assert settings.experiments["tiny"].variant == "pets4"
    train = settings.experiments["tiny"].train
    assert isinstance(train, mlp.Settings)
    assert (train.hidden_units, train.dropout, train.epochs) == ([3, 5], 0.5, 2)
    assert train.jit_compile is False


def test_features_that_are_left_out_are_off():
    train = params.parse(TEXT).experiments["tiny"].train

    assert train.momentum is None
    assert train.weight_decay is None
    assert train.learning_rate_schedule is None
    assert train.early_stopping is None
    assert train.class_weights is None
    assert (train.label_smoothing, train.mixup) == (None, None)
    assert train.augment is None
    variant = params.parse(TEXT).prepare["whole"]
    assert (variant.limit_per_class, variant.augment, variant.views) == (None, None, None)


def test_sections_are_frozen():
    settings = params.parse(TEXT)

    with pytest.raises(ValueError, match="frozen"):
        settings.experiments["tiny"].train.epochs = 3


@pytest.mark.parametrize(
    ("old", "new", "key", "value"),
    [
        pytest.param(RATE, "learning_rate: 1", "learning_rate", 1.0, id="integer for a float"),
        pytest.param("[3, 5]", "[]", "hidden_units", [], id="no hidden layer"),
        pytest.param(RATE, f"{RATE}\n      momentum: 0.9", "momentum", 0.9, id="momentum"),
        pytest.param(
            OPTIMIZER, "optimizer: rmsprop\n      momentum: 0.9", "momentum", 0.9, id="rmsprop"
        ),
        pytest.param(
            OPTIMIZER,
            "optimizer: adamw\n      weight_decay: 0.01",
            "weight_decay",
            0.01,
            id="adamw",
        ),
        pytest.param(
            OPTIMIZER, "optimizer: adam\n      momentum: null", "momentum", None, id="null is off"
        ),
        pytest.param(
            RATE,
            SCHEDULE + "{kind: cosine, warmup_epochs: 1, final_fraction: 0.0}",
            "learning_rate_schedule",
            sections.CosineDecay(kind="cosine", warmup_epochs=1, final_fraction=0.0),
            id="cosine",
        ),
        pytest.param(
            RATE,
            SCHEDULE + "{kind: exponential, factor: 0.5, every_epochs: 4}",
            "learning_rate_schedule",
            sections.ExponentialDecay(kind="exponential", factor=0.5, every_epochs=4),
            id="exponential",
        ),
        pytest.param(
            EPOCHS,
            EPOCHS + EARLY_STOPPING,
            "early_stopping",
            sections.EarlyStopping(monitor="validation_loss", patience_epochs=3),
            id="early stopping",
        ),
        pytest.param(
            EPOCHS,
            EPOCHS + "\n      class_weights: balanced",
            "class_weights",
            "balanced",
            id="class weights",
        ),
        pytest.param(
            EPOCHS,
            EPOCHS + "\n      augment: {rotation_degrees: 7, horizontal_flip: true}",
            "augment",
            sections.Augment(rotation_degrees=7.0, horizontal_flip=True),
            id="augmentation",
        ),
        pytest.param(
            EPOCHS,
            EPOCHS + "\n      label_smoothing: 0.1",
            "label_smoothing",
            0.1,
            id="label smoothing",
        ),
        pytest.param(EPOCHS, EPOCHS + "\n      mixup: 1", "mixup", 1.0, id="mixup"),
        pytest.param(
            EPOCHS,
            EPOCHS
            + "\n      augment: {random_resized_crop: {least_area: 0.5, greatest_stretch: 1.33}}",
            "augment",
            sections.Augment(
                random_resized_crop=sections.RandomResizedCrop(
                    least_area=0.5, greatest_stretch=1.33
                )
            ),
            id="random resized crop",
        ),
    ],
)
def test_training_section_may_say(old, new, key, value):
    train = params.parse(changed(old, new)).experiments["tiny"].train

    assert getattr(train, key) == value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault("seed: 20", "sed: 20\nseed: 20", "sed is an unknown key, got 20; did you mean seed?"),
        fault(
            RATE,
            f"{RATE}\n      learning_rat: 1",
            "experiments.tiny.train.learning_rat is an unknown key, got 1; "
            "did you mean learning_rate?",
            "in a model's section",
        ),
        fault(
            "labels: b}",
            "labels: b, label: d}",
            "datasets.pets.extract.train.label is an unknown key, got 'd'; did you mean labels?",
            "in a layout's section",
        ),
        fault(
            "color: rgb,",
            "color: rgb, zzz: red,",
            "prepare.whole.zzz is an unknown key, got 'red'",
            "nothing alike",
        ),
        fault("seed: 20", "seed: 20\nzzz: null", "zzz is an unknown key, got null"),
        fault("seed: 20", "seed: 20\nzzz: [1, 2]", "zzz is an unknown key, got [1, 2]"),
        fault(
            "seed: 20",
            f"seed: 20\nzzz: {dict.fromkeys('abcdefg', 0)}",
            "zzz is an unknown key, got {'a': 0, 'b': 0, 'c': 0, 'd': 0, ...}",
            "big section",
        ),
        fault(
            RATE,
            f"{RATE}\n      layout: idx",
            "experiments.tiny.train.layout is an unknown key, got 'idx'",
            "known elsewhere",
        ),
    ],
)
def test_unknown_key(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        pytest.param("seed: 20\n", "seed", id="at the top"),
        pytest.param("      epochs: 2\n", "experiments.tiny.train.epochs", id="of every model"),
        pytest.param("      dropout: 0.5\n", "experiments.tiny.train.dropout", id="of one model"),
        pytest.param("      model: mlp\n", "experiments.tiny.train.model", id="model"),
        pytest.param("    layout: idx\n", "datasets.pets.layout", id="layout"),
        pytest.param("    licence: MIT\n", "datasets.pets.licence", id="licence"),
        pytest.param("color: rgb, ", "prepare.whole.color", id="of a variant"),
        pytest.param("features: {}\n", "features", id="a section"),
    ],
)
def test_missing_key(line, key):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {key} is missing")):
        params.parse(changed(line, ""))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            RATE,
            "learning_rate: 1e-3",
            "experiments.tiny.train.learning_rate must be a number, got '1e-3'" + QUOTED_NUMBER,
        ),
        fault(
            RATE,
            "learning_rate: '0.1'",
            "experiments.tiny.train.learning_rate must be a number, got '0.1'" + QUOTED_NUMBER,
        ),
        fault(
            RATE,
            "learning_rate: fast",
            "experiments.tiny.train.learning_rate must be a number, got 'fast'",
        ),
        fault(
            RATE,
            "learning_rate: true",
            "experiments.tiny.train.learning_rate must be a number, got true",
        ),
        fault(
            RATE,
            "learning_rate: .nan",
            "experiments.tiny.train.learning_rate must be a finite number, got nan",
        ),
        fault(
            EPOCHS, "epochs: 2.5", "experiments.tiny.train.epochs must be a whole number, got 2.5"
        ),
        fault(
            EPOCHS, "epochs: 2.0", "experiments.tiny.train.epochs must be a whole number, got 2.0"
        ),
        fault(
            EPOCHS,
            "epochs: true",
            "experiments.tiny.train.epochs must be a whole number, got true",
        ),
        fault(
            EPOCHS,
            "epochs: null",
            "experiments.tiny.train.epochs must be a whole number, got null",
        ),
        fault("seed: 20", "seed:", "seed must be a whole number, got null"),
        fault(
            "jit_compile: false",
            "jit_compile: 1",
            "experiments.tiny.train.jit_compile must be true, false or 'auto', got 1",
        ),
        fault(
            "jit_compile: false",
            "jit_compile: 'no'",
            "experiments.tiny.train.jit_compile must be true, false or 'auto', got 'no'",
        ),
        fault(
            "[3, 5]",
            "[3, 5.5]",
            "experiments.tiny.train.hidden_units.1 must be a whole number, got 5.5",
        ),
        fault("[3, 5]", "3", "experiments.tiny.train.hidden_units must be a list, got 3"),
        fault(
            "[cat, dog]",
            "[cat, false]",
            "datasets.pets.extract.classes.1 must be text; put it in quotes, got false",
        ),
        fault(
            "[cat, dog]",
            "[cat, 3]",
            "datasets.pets.extract.classes.1 must be text; put it in quotes, got 3",
        ),
        fault("seed: 20", "seed: 010", "seed must be a whole number, got '010'" + QUOTED_NUMBER),
        fault("seed: 20", "seed: 1:00", "seed must be a whole number, got '1:00'"),
        fault(
            "weights: {}",
            "weights: 10",
            "weights must be a section of keys and values, got 10",
        ),
        fault(
            "weights: {}",
            "weights:",
            "weights must be a section of keys and values, got null",
            "empty section",
        ),
        fault(
            "files: {a: HASH, b: HASH, c: HASH, d: HASH}".replace("HASH", "f" * 64),
            "files: [a]",
            "datasets.pets.files must be a section of keys and values, got ['a']",
            "list for a section",
        ),
    ],
)
def test_wrong_type(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault("seed: 20", "seed: -1", "seed must be greater than or equal to 0, got -1"),
        fault("seed: 20", "seed: 4294967296", "seed must be less than 4294967296, got 4294967296"),
        fault(EPOCHS, "epochs: 0", "experiments.tiny.train.epochs must be greater than 0, got 0"),
        fault(
            RATE,
            "learning_rate: 0",
            "experiments.tiny.train.learning_rate must be greater than 0, got 0",
        ),
        fault(
            "dropout: 0.5",
            "dropout: 1.0",
            "experiments.tiny.train.dropout must be less than or equal to 0.99, got 1.0",
        ),
        fault(
            "dropout: 0.5",
            "dropout: -0.1",
            "experiments.tiny.train.dropout must be greater than or equal to 0, got -0.1",
        ),
        fault(
            RATE,
            f"{RATE}\n      momentum: 1.0",
            "experiments.tiny.train.momentum must be less than 1, got 1.0",
        ),
        fault(
            "image_size_px: 32",
            "image_size_px: -8",
            "prepare.whole.image_size_px must be greater than 0, got -8",
        ),
        fault(
            "validation_fraction: 0.2",
            "validation_fraction: 1.0",
            "prepare.pets4.validation_fraction must be less than 1, got 1.0",
        ),
        fault(
            "[3, 5]",
            "[3, 0]",
            "experiments.tiny.train.hidden_units.1 must be greater than 0, got 0",
        ),
        fault(
            "greatest_difference: 0.01",
            "greatest_difference: 0.0",
            "exports.small.greatest_difference must be greater than 0, got 0.0",
        ),
        fault(
            "greatest_accuracy_loss: 0.02",
            "greatest_accuracy_loss: 1.0",
            "exports.small.greatest_accuracy_loss must be less than 1, got 1.0",
        ),
        fault(
            "calibration_images: 8",
            "calibration_images: 0",
            "exports.small.calibration_images must be greater than 0, got 0",
        ),
        fault("[pip:pets==1.0]", "[]", "datasets.pets.sources must have at least 1, got []"),
        fault("[litert]", "[]", "exports.small.formats must have at least 1, got []"),
        fault(
            "[cat, dog]",
            "[cat]",
            "datasets.pets.extract.classes must have at least 2, got ['cat']",
        ),
        fault(
            "[cat, dog]",
            "[cat, '']",
            "datasets.pets.extract.classes.1 must be 1 to 500 characters, none of them a control "
            "character, got ''",
        ),
        fault(
            "files: {a: HASH, b: HASH, c: HASH, d: HASH}".replace("HASH", "f" * 64),
            "files: {}",
            "datasets.pets.files must have at least 1, got {}",
            "no files",
        ),
    ],
)
def test_value_out_of_range(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault("  tiny:", "  a b:", f"experiments.a b {NAME} got 'a b'", "space"),
        fault("  tiny:", "  -x:", f"experiments.-x {NAME} got '-x'", "leading dash"),
        fault("  tiny:", "  ../x:", f"experiments.../x {NAME} got '../x'", "path"),
        fault("  tiny:", "  '1.5':", f"experiments.1.5 {NAME} got '1.5'", "number in quotes"),
        fault("  whole:", "  '':", f"prepare. {NAME} got ''", "empty"),
        fault("  whole:", "  v1.5:", f"prepare.v1.5 {NAME} got 'v1.5'", "dot"),
        fault(
            "  whole:",
            "  8:",
            "prepare.8 must be a name: text that is no number and no word of YAML, got 8",
            "number",
        ),
        fault(
            "  whole:",
            "  null:",
            "prepare.null must be a name: text that is no number and no word of YAML, got null",
        ),
        fault(
            "  whole:",
            "  true:",
            "prepare.true must be a name: text that is no number and no word of YAML, got true",
        ),
        fault(
            "seed: 20",
            "seed: 20\n1.5: 1",
            "1.5 must be a name: text that is no number and no word of YAML, got 1.5",
        ),
        fault("{a: ", "{../a: ", f"datasets.pets.files.../a {FILE_NAME} got '../a'", "file"),
        fault("{a: ", "{.a: ", f"datasets.pets.files..a {FILE_NAME} got '.a'", "hidden file"),
    ],
)
def test_bad_name(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


@pytest.mark.parametrize(
    "digest",
    [
        pytest.param("f" * 63, id="short"),
        pytest.param("f" * 65, id="long"),
        pytest.param("F" * 64, id="upper case"),
        pytest.param("g" * 64, id="not hexadecimal"),
        pytest.param("md5-" + "f" * 60, id="prefix"),
        pytest.param("1" * 63, id="digits only"),  # no advice to write it without quotes
    ],
)
def test_bad_digest(digest):
    message = (
        "params.yaml: datasets.pets.files.a must be a sha256, 64 characters of 0-9 and a-f, "
        f"got '{digest}'"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed("{a: " + "f" * 64, f"{{a: '{digest}'"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            RATE,
            SCHEDULE + "{kind: step}",
            "learning_rate_schedule.kind must be one of 'cosine', 'exponential', got 'step'",
            "unknown kind",
        ),
        fault(
            RATE,
            SCHEDULE + "{factor: 0.5, every_epochs: 1}",
            "learning_rate_schedule.kind is missing",
            "no kind",
        ),
        fault(
            RATE,
            SCHEDULE + "cosine",
            "learning_rate_schedule must be a section of keys and values, got 'cosine'",
            "no section",
        ),
        fault(
            RATE,
            SCHEDULE + "{kind: cosine, warmup_epochs: 1}",
            "learning_rate_schedule.final_fraction is missing",
            "key missing",
        ),
        fault(
            RATE,
            SCHEDULE + "{kind: cosine, warmup_epochs: 1, final_fraction: 1.5}",
            "learning_rate_schedule.final_fraction must be less than or equal to 1, got 1.5",
            "out of range",
        ),
        fault(
            RATE,
            SCHEDULE + "{kind: exponential, every_epochs: 1, factor: 1.0}",
            "learning_rate_schedule.factor must be less than 1, got 1.0",
            "no decay",
        ),
        fault(
            RATE,
            SCHEDULE + "{kind: exponential, every_epochs: 1, factor: 0.5, final_fraction: 0.1}",
            "learning_rate_schedule.final_fraction is an unknown key, got 0.1…",
            "key of the other kind",
        ),
    ],
)
def test_bad_schedule(old, new, message):
    where = "params.yaml: experiments.tiny.train."

    with pytest.raises(ParamsError, match=lines_saying(where + message)):
        params.parse(changed(old, new))


@pytest.mark.parametrize("warmup_epochs", [2, 3])
def test_warmup_must_end_before_the_training(warmup_epochs):
    schedule = f"{{kind: cosine, warmup_epochs: {warmup_epochs}, final_fraction: 0.0}}"
    message = (
        "params.yaml: experiments.tiny.train: learning_rate_schedule.warmup_epochs must be less "
        f"than epochs, 2, got {warmup_epochs}"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed(RATE, SCHEDULE + schedule))


@pytest.mark.parametrize(
    ("optimizer", "more"),
    [
        pytest.param("adam", "", id="adam"),
        pytest.param("adamw", "\n      weight_decay: 0.004", id="adamw"),
    ],
)
def test_momentum_without_use(optimizer, more):
    message = (
        "params.yaml: experiments.tiny.train: momentum is for sgd and rmsprop, "
        f"and optimizer is {optimizer}"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed(OPTIMIZER, f"optimizer: {optimizer}\n      momentum: 0.9{more}"))


@pytest.mark.parametrize("more", ["", "\n      weight_decay: null"], ids=["left out", "null"])
def test_adamw_without_weight_decay(more):
    message = "params.yaml: experiments.tiny.train: adamw needs weight_decay, such as 0.004"

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed(OPTIMIZER, f"optimizer: adamw{more}"))


def test_mismatches_of_a_section_share_a_line():
    message = (
        "params.yaml: experiments.tiny.train: "
        "momentum is for sgd and rmsprop, and optimizer is adamw; "
        "adamw needs weight_decay, such as 0.004"
    )

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed(OPTIMIZER, "optimizer: adamw\n      momentum: 0.9"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        fault(
            "[cat, dog]",
            "[cat, cat]",
            "datasets.pets.extract.classes: class names must be unique, got twice: cat",
        ),
        fault(
            "labels: b}",
            "labels: e}",
            "datasets.pets: extract must name files of a, b, c, d, got e",
        ),
        fault(
            "labels: b}", "labels: a}", "datasets.pets: extract must name each file once, got a 2…"
        ),
        fault(
            "{a: ",
            "{e: " + "f" * 64 + ", a: ",
            "datasets.pets: extract must use every file, and leaves out e",
            "file without use",
        ),
    ],
)
def test_bad_idx_section(old, new, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: {message}")):
        params.parse(changed(old, new))


CHANGES = (
    "rotation_degrees, zoom, shift, horizontal_flip, brightness, contrast, random_resized_crop"
)


def test_a_variant_may_say():
    text = changed(
        "size_px: 32,",
        "size_px: 32, limit_per_class: {test: 5}, views: 2, augment: {zoom: 0.2, shift: 0.1},",
    )

    variant = params.parse(text).prepare["whole"]

    assert variant.limit_per_class == sections.LimitPerClass(train=None, test=5)
    assert variant.augment == sections.Augment(zoom=0.2, shift=0.1)
    assert variant.views == 2
    assert (variant.fit, variant.interpolation) == ("stretch", "area")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param("augment: {zoom: 0.2}", ": augment needs views beside it", id="augment"),
        pytest.param("views: 2", ": views needs augment beside it", id="views"),
        pytest.param(
            "views: 2, augment: {}", f".augment: must have one or more of {CHANGES}", id="empty"
        ),
        pytest.param(
            "views: 2, augment: {horizontal_flip: false}",
            f".augment: must have one or more of {CHANGES}",
            id="off",
        ),
        pytest.param(
            "views: 0, augment: {zoom: 0.2}", ".views must be greater than 0, got 0", id="0 views"
        ),
        pytest.param(
            "views: 2, augment: {zoom: 1.0}",
            ".augment.zoom must be less than or equal to 0.9, got 1.0",
            id="zoom",
        ),
        pytest.param(
            "views: 2, augment: {rotation_degrees: 181}",
            ".augment.rotation_degrees must be less than or equal to 180, got 181",
            id="rotation",
        ),
        pytest.param(
            "views: 2, augment: {brightness: 0}",
            ".augment.brightness must be greater than 0, got 0",
            id="brightness",
        ),
        pytest.param(
            "views: 2, augment: {rotation: 7}",
            ".augment.rotation is an unknown key, got 7; did you mean rotation_degrees?",
            id="unknown change",
        ),
        pytest.param(
            "limit_per_class: {train: 0}",
            ".limit_per_class.train must be greater than 0, got 0",
            id="limit",
        ),
        pytest.param(
            "limit_per_class: 5",
            ".limit_per_class must be a section of keys and values, got 5",
            id="one limit for all",
        ),
        pytest.param(
            "limit_per_class: {validation: 5}",
            ".limit_per_class.validation is an unknown key, got 5…",
            id="limit of validation images",
        ),
    ],
)
def test_bad_variant(keys, message):
    with pytest.raises(ParamsError, match=lines_saying(f"params.yaml: prepare.whole{message}")):
        params.parse(changed("size_px: 32,", f"size_px: 32, {keys},"))


@pytest.mark.parametrize(
    ("key", "old", "new", "known"),
    [
        ("fit", "stretch", "squeeze", "'stretch', 'crop' or 'pad'"),
        (
            "interpolation",
            "area",
            "spline",
            "'area', 'cubic', 'lanczos', 'linear' or 'nearest'",
        ),
    ],
    ids=["fit", "interpolation"],
)
def test_form_of_a_variant(key, old, new, known):
    start, end = TEXT.split("  pets4: ")
    text = start.replace(f"{key}: {old}", f"{key}: {new}") + "  pets4: " + end
    message = f"params.yaml: prepare.whole.{key} must be {known}, got '{new}'"

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(text)


def test_unknown_class_weights():
    message = "params.yaml: experiments.tiny.train.class_weights must be 'balanced', got 'equal'"

    with pytest.raises(ParamsError, match=lines_saying(message)):
        params.parse(changed(EPOCHS, f"{EPOCHS}\n      class_weights: equal"))
