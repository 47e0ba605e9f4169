import dataclasses
import shutil
from pathlib import Path

import pytest

from app import catalog
from imago.core.errors import DataError
from imago.models import cnn
from imago.runtimes import model_json
from tests import app_project


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    app_project.create(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_are_in_the_order_of_params(project: Path) -> None:
    assert catalog.names() == ["cnn", "digits"]  # and plain and transfer have no export
    app_project.export(project, "plain", ("a", "b"), app_project.np.ones((3, 2)))
    assert catalog.names() == ["plain", "cnn", "digits"]
    (project / "params.yaml").unlink()
    assert catalog.names() == ["cnn", "digits", "plain"]


def test_a_model_is_loaded_once_and_anew_when_it_changed(project: Path) -> None:
    first = catalog.load("cnn")
    assert catalog.load("cnn") is first
    classes = ("azure", "green", "red")
    described = dataclasses.replace(first.description, classes=classes)
    model_json.write(project / "exports/cnn", described)
    assert catalog.load("cnn").classes[0] == "azure"


def test_the_last_whole_model_answers_while_the_next_is_made(project: Path) -> None:
    first = catalog.load("cnn")
    shutil.rmtree(project / "exports/cnn")  # as DVC does
    assert (catalog.names(), catalog.load("cnn")) == (["cnn", "digits"], first)
    (project / "exports/cnn").mkdir()
    (project / "exports/cnn/model.json").write_text("{")
    assert catalog.load("cnn") is first
    app_project.export(project, "cnn", ("a", "b"), app_project.np.ones((3, 2)))
    assert catalog.load("cnn").classes == ("a", "b")


def test_a_model_that_cannot_be_loaded_is_left_out(project: Path) -> None:
    (project / "exports/cnn/model.onnx").unlink()
    (cnn, why), (digits, _) = catalog.models()
    assert (cnn, digits) == ("cnn", "digits")
    assert "exports/cnn: must hold model.tflite or " in str(why)
    with pytest.raises(DataError, match="exports/cnn"):
        catalog.load("cnn")


def test_what_a_model_is_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalog.knows_digits(catalog.load("digits"))
    assert not catalog.knows_digits(catalog.load("cnn"))
    assert not catalog.is_convolutional("cnn")  # for want of models/cnn/model.keras
    Path("models/cnn").mkdir(parents=True)
    Path("models/cnn/model.keras").touch()
    assert catalog.is_convolutional("cnn")
    assert not catalog.is_convolutional("digits")
    monkeypatch.setattr(cnn.Settings, "convolutional", False)  # whatever the name of the model
    assert not catalog.is_convolutional("cnn")


def test_examples() -> None:
    found = catalog.examples("cnn")
    assert [example.label for example in found] == ["blue", "blue", "green", "green", "red", "red"]
    assert found[-1].pixels[0, 0].tolist() == [230, 20, 20]
    assert catalog.examples("digits") == []
    assert catalog.examples("transfer") == []  # its variant is not there


@pytest.mark.parametrize(
    ("probability", "expected"),
    [(0.95, catalog.Reliability(200, 0.96)), (1.0, catalog.Reliability(200, 0.96)), (0.9, None)],
    ids=["inside", "the end", "too few"],
)
def test_reliability(probability: float, expected: catalog.Reliability | None) -> None:
    assert catalog.reliability("cnn", probability) == expected


def test_what_is_missing_or_damaged() -> None:
    assert catalog.reliability("digits", 0.95) is None
    assert catalog.metrics("cnn") == {"accuracy": 0.975, "examples": 1234}
    assert catalog.metrics("digits") == {}
    for broken in ("", "[1]", '{"accuracy": "high"}', '{"examples": 3}'):
        Path("metrics/digits.json").write_text(broken, "utf-8")
        assert catalog.metrics("digits") == {}
    Path("reports/cards").mkdir()
    Path("reports/cards/cnn.json").write_text("[1]")
    Path("reports/cards/digits.json").write_text("{")
    assert catalog.card("cnn") == catalog.card("digits") == {}
