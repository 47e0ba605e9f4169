import base64
import dataclasses

import cv2
import numpy as np
import pytest

from app import answer_html, answers, intake
from app.catalog import Reliability
from app.texts import ENGLISH, PORTUGUESE
from imago.predict.predictor import Prediction, Reason

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


def answer(name: str = "a.png", label: str | None = None, classes: int = 8) -> answers.Answer:
    shares = dict.fromkeys([f"c{index}" for index in range(classes - 2)], 0.2 / (classes - 2))
    prediction = Prediction("cat", 0.7, {"<b>": 0.1, "cat": 0.7, **shares})
    return answers.Answer(name, label, "data:image/png;base64,", PIXELS, prediction)


def test_an_answer() -> None:
    html = answer_html.answer(answer("<img>"), PORTUGUESE, "pt", Reliability(1500, 0.5))
    assert "<h3>gato, 70,0\N{NO-BREAK SPACE}%</h3>" in html
    assert "&lt;b&gt;" in html
    assert "&lt;img&gt;" in html
    assert "<img>" not in html
    assert "Também pode ser: &lt;b&gt;." in html
    assert html.count("<li>") == 6  # five classes, and the others together
    assert "3 outras, juntas" in html
    assert "acertou em 50,0\N{NO-BREAK SPACE}% de 1\N{NO-BREAK SPACE}500 imagens" in html
    assert "O que o modelo vê: 3 × 2 pixels" in html


@pytest.mark.parametrize(("label", "words"), [("cat", "is right"), ("dog", "is wrong")])
def test_an_example(label: str, words: str) -> None:
    html = answer_html.answer(answer(label=label, classes=3), ENGLISH, "en", None)
    assert f"In the data set this is: {label}. The model {words}." in html
    assert html.count("<li>") == 3
    assert "What the model sees" not in html


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (
            "unlike",
            "This picture is unlike those that it learnt from. If it had to choose: cat, 70",
        ),
        ("improbable", "It is not sure enough for an answer. If it had to choose: cat"),
    ],
)
def test_what_is_unsure_is_no_answer(reason: Reason, words: str) -> None:
    one = answer()
    unsure = dataclasses.replace(one.prediction, unsure=reason)
    html = answer_html.answer(dataclasses.replace(one, prediction=unsure), ENGLISH, "en", None)
    assert "<h3>The model does not know</h3>" in html
    assert words in html


def test_where_it_looked() -> None:
    html = answer_html.answer(answer(), ENGLISH, "en", None, "data:image/png;base64,AA")
    assert 'src="data:image/png;base64,AA"' in html


def test_a_refusal() -> None:
    found = intake.Rejected("<i>.png", "too_many_pixels", "too many pixels: 9×9")
    html = answer_html.refusal(found, ENGLISH)
    assert "Not read: &lt;i&gt;.png" in html
    assert "The limit is 40 million." in html
    assert "too many pixels: 9×9" in html


@pytest.mark.parametrize(
    "shape", [(5, 7, 1), (5, 7, 3), (300, 600, 1), (900, 300, 3), (1, 9999, 3)]
)
def test_thumbnails_are_small_upright_and_not_mirrored(shape: tuple[int, int, int]) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels[: (shape[0] + 1) // 2, : shape[1] // 2] = (250,) if shape[2] == 1 else (250, 0, 0)
    head, encoded = answers.thumbnail(pixels).split(",")
    assert head in ("data:image/jpeg;base64", "data:image/png;base64")
    image = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert max(image.shape[:2]) <= answers.THUMBNAIL_PX
    assert image[0, 0].tolist() == pytest.approx([250] * 3 if shape[2] == 1 else [250, 0, 0], abs=5)
    assert image[0, -1].tolist() == pytest.approx([0, 0, 0], abs=5)


def test_answers_are_remembered_and_forgotten() -> None:
    asked = []

    class Model:
        def pixels(self, image: np.ndarray) -> np.ndarray:
            asked.append(image.shape)
            return image

        def probabilities(self, pixels: np.ndarray) -> np.ndarray:
            return np.array([[1.0]])

        def predictions(self, probabilities: np.ndarray) -> list[Prediction]:
            return [Prediction("x", 1.0, {"x": 1.0})]

    one = answers.Picture("1", "one", lambda: PIXELS)
    two = answers.Picture("2", "two", lambda: b"broken")
    known: dict[tuple[str, str], answers.Answer | intake.Rejected] = {}
    for _ in range(2):
        found = list(answers.remembered([one, two], Model(), "model", known))  # type: ignore[arg-type]
    assert [each.name for each in found] == ["one", "two"]
    assert isinstance(found[1], intake.Rejected)
    assert asked == [PIXELS.shape]
    list(answers.remembered([two], Model(), "other", known))  # type: ignore[arg-type]
    assert [*known] == [("other", "2")]
