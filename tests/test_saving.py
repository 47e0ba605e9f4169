import dataclasses
import re
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from imago.core.errors import DataError
from imago.runtimes import model_json, saving, trained
from tests.trees import damage

pytestmark = pytest.mark.fault

WRITE = """
import sys, pathlib, keras
from imago.runtimes import saving
from imago.runtimes import determinism
determinism.enable(4)
pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
flat = keras.layers.Dropout(0.5, name="drop")(keras.layers.Flatten(name="flat")(pixels))
head = keras.layers.Dense(2, activation="softmax", name="head")
model = keras.Model(pixels, head(flat), name="m")
model.compile("adam")
saving.write(pathlib.Path(sys.argv[1]), model, ("cat", "dog"))
"""


def build() -> keras.Model:
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    flat = keras.layers.Flatten(name="flat")(
        keras.layers.Rescaling(1 / 255, name="rescale")(pixels)
    )
    head = keras.layers.Dense(2, activation="softmax", name="head")
    return keras.Model(pixels, head(flat), name="m")


def test_reads_back_the_same_model_and_class_names(tmp_path):
    model, images = build(), np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)
    saving.write(tmp_path / "model", model, ("cat", "dög"))
    loaded, classes = saving.read(tmp_path / "model")
    assert classes == ("cat", "dög")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )


def test_plain_keras_loads_the_file_in_safe_mode(tmp_path):
    saving.write(tmp_path, build(), ("cat", "dog"))
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert [layer.name for layer in loaded.layers] == ["pixels", "rescale", "flat", "head"]


@pytest.mark.slow
def test_two_processes_write_equal_bytes(tmp_path):
    """In tests/test_pipeline.py a process writes what DVC's wrote."""
    for name in ("first", "second"):
        subprocess.run([sys.executable, "-c", WRITE, str(tmp_path / name)], check=True)
    for name in (trained.KERAS_FILE, trained.LITERT_FILE, model_json.FILE):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_the_optimizer_stays_behind(tmp_path):
    model = build()
    model.compile(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    saving.write(tmp_path / "compiled", model, ("a", "b"))
    saving.write(tmp_path / "plain", keras.Model(model.inputs, model.outputs, name="m"), ("a", "b"))
    compiled, plain = (tmp_path / name / trained.KERAS_FILE for name in ("compiled", "plain"))
    assert compiled.read_bytes() == plain.read_bytes()


def test_every_member_has_the_same_date(tmp_path):
    saving.write(tmp_path, build(), ("a", "b"))
    with zipfile.ZipFile(tmp_path / trained.KERAS_FILE) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'model.keras'}: not found")):
        saving.read(tmp_path)


def test_litert_gives_what_keras_gives(tmp_path):
    model, images = build(), np.arange(12, dtype=np.uint8).reshape(3, 2, 2, 1)
    saving.write(tmp_path, model, ("cat", "dog"))
    found = trained.read(tmp_path, (2, 2, 1))
    assert (found.classes, found.parameters) == (("cat", "dog"), 10)
    np.testing.assert_allclose(
        found.runtime.call(images), model.predict(images, verbose=0), atol=1e-6
    )


def test_a_missing_litert_file_is_named(tmp_path):
    with pytest.raises(DataError, match=re.escape(f"{tmp_path / 'model.tflite'}: not found")):
        trained.read(tmp_path, (2, 2, 1))


def describe_anew(folder):
    """Have model.json tell of the files that are there, as if they had been written so."""
    digests = {path.name: model_json.digest(path) for path in folder.glob("model.[kt]*")}
    described = dataclasses.replace(model_json.read_trained(folder), files=digests)
    model_json.write(folder, described)


@pytest.mark.parametrize("name", [trained.KERAS_FILE, trained.LITERT_FILE])
def test_a_damaged_file_is_told_by_its_digest(tmp_path, name):
    saving.write(tmp_path, build(), ("cat", "dog"))
    damage(tmp_path / name)
    message = f"{tmp_path / name}: damaged since it was written, or of another run: its sha256"
    with pytest.raises(DataError, match=re.escape(message)):
        saving.read(tmp_path) if name == trained.KERAS_FILE else trained.read(tmp_path, (2, 2, 1))


def damaged(path):
    path.write_bytes(path.read_bytes()[:-200])


def compressed(path):
    members = {}
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in members.items():
            new.writestr(name, content)
        new.writestr("more", bytes(10**6))


def running_code(path):
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    keras.Model(pixels, keras.layers.Lambda(lambda x: x + 1)(pixels)).save(path)


def of_another(path):
    pixels = keras.Input((2, 2, 1), dtype="uint8", name="pixels")
    flat = keras.layers.Flatten(name="flatten")(pixels)
    saving.write_model(path, keras.Model(pixels, keras.layers.Dense(3, name="three")(flat)))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (damaged, "must be a whole .keras file: File is not a zip file"),
        (compressed, "must hold nothing compressed, got 1,"),
        (running_code, "must be a whole .keras file: "),
        (of_another, "must give (None, 2) and have 10 parameters, as "),
    ],
)
def test_keras_files_of_another_kind(change, fault, tmp_path):
    saving.write(tmp_path / "m", build(), ("cat", "dog"))
    change(tmp_path / "m/model.keras")
    describe_anew(tmp_path / "m")
    with pytest.raises(DataError, match=re.escape(f"m/model.keras: {fault}")) as found:
        saving.read(tmp_path / "m")
    assert "\n" not in str(found.value)


def test_a_litert_file_of_another_kind(tmp_path):
    saving.write(tmp_path, build(), ("cat", "dog"))
    for content in (b"", b"no model", (tmp_path / trained.LITERT_FILE).read_bytes()[:900]):
        (tmp_path / trained.LITERT_FILE).write_bytes(content)
        describe_anew(tmp_path)
        with pytest.raises(DataError, match=r"model\.tflite: must be a whole \.tflite file of one"):
            trained.read(tmp_path, (2, 2, 1))
