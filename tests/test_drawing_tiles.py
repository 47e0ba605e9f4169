import dataclasses

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from imago.drawing import canvas, tiles
from imago.figures import activations, examples, mistakes, uncertain
from tests import made_up
from tests.subjects import answered

IMAGES = np.zeros((4, 8, 8, 1), np.uint8)
PREDICTIONS = made_up.predictions(
    [0, 1, 2, 0],
    np.array(
        [[0.75, 0.25, 0.0], [0.1, 0.5, 0.4], [0.995, 0.005, 0.0], [0.25, 0.5, 0.25]], np.float32
    ),
    ("cat", "dog", "owl"),
)
"""cat, dog, cat (is owl), dog (is cat)"""


def texts(figure):
    return [text.get_text() for text in figure.texts]


def color_of(figure, words):
    (color,) = {text.get_color() for text in figure.texts if text.get_text() == words}
    return color


def pixels_of(tmp_path, figure):
    canvas.write(tmp_path / "figure.png", figure)
    with Image.open(tmp_path / "figure.png") as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def count(pixels, color):
    """Pixels of a color, which the palette of 256 may have changed a little."""
    wanted = np.array(to_rgb(color)) * 255
    return int((np.abs(pixels - wanted).max(axis=-1) <= 3).sum())


def test_predicted_and_true_class_of_right_and_wrong_examples():
    figure = examples.draw(answered(IMAGES, PREDICTIONS))

    assert "2 of the 2 that are classified right and 2 of the 2 that are not" in texts(figure)[1]
    assert color_of(figure, "✓ predicted: dog") == canvas.RIGHT
    assert color_of(figure, "✗ predicted: cat") == canvas.WRONG
    assert color_of(figure, "✓ true: owl") == canvas.RIGHT
    assert {"#0", "#1", "#2", "#3"} <= set(texts(figure))


def test_photos_are_called_as_their_files():
    files = ["pets/cat/käfer 1.jpg", "2.jpg", f"pets/owl/{'long' * 20}_3.jpg", "pets/cat/4.jpg"]
    named = dataclasses.replace(PREDICTIONS, photos=files)

    for draw in (examples.draw, mistakes.draw, uncertain.draw):
        found = texts(draw(answered(IMAGES, named)))
        assert not any(text.startswith("#") for text in found)
        assert "file" in found
        assert "4.jpg" in found
        assert "…onglonglong_3.jpg" in found
    assert {"käfer 1.jpg", "2.jpg"} <= set(texts(examples.draw(answered(IMAGES, named))))


def test_bars_carry_names_signs_and_probabilities():
    figure = mistakes.draw(answered(IMAGES, PREDICTIONS))

    shown = [text for text in figure.texts if text.get_fontsize() == canvas.SMALL_POINTS]
    after_legend = [text.get_text() for text in shown[4:]]
    assert after_legend == [
        *("#2", ">99 %", "✗ cat", "<1 %", "dog", "0 %", "✓ owl"),
        *("#3", "50 %", "✗ dog", "25 %", "✓ cat", "25 %", "owl"),
    ]
    assert color_of(figure, "✗ dog") == canvas.WRONG
    assert color_of(figure, "✓ owl") == canvas.RIGHT
    assert texts(figure)[1] == "All mistakes on 4 test images, the surest first."


def test_bars_are_as_long_as_probabilities(tmp_path):
    one = made_up.predictions([1], np.array([[0.75, 0.25]], np.float32), ("a", "b"))

    pixels = pixels_of(tmp_path, uncertain.draw(answered(IMAGES[:1], one)))

    width = tiles.TILE_PX - 128 - 14
    top = canvas.HEADING_PX + tiles.LEGEND_PX + tiles.TITLES_PX + 12
    left = canvas.MARGIN_PX + 128 + 14
    for row, (share, color) in enumerate([(0.75, canvas.WRONG), (0.25, canvas.RIGHT)]):
        line = pixels[top + row * tiles.BAR_STEP_PX, left : left + width][np.newaxis]
        assert count(line, color) == round(share * width)
        assert count(line, canvas.LIGHT) == width - round(share * width)


def test_an_image_has_a_frame_in_the_color_of_its_answer(tmp_path):
    probabilities = np.array([[0.9, 0.1]], np.float32)
    for label, color, other in ((0, canvas.RIGHT, canvas.WRONG), (1, canvas.WRONG, canvas.RIGHT)):
        one = made_up.predictions([label], probabilities, ("a", "b"))
        pixels = pixels_of(tmp_path, uncertain.draw(answered(IMAGES[:1], one)))
        side = slice(canvas.HEADING_PX + tiles.LEGEND_PX + tiles.TITLES_PX, None)
        frame = pixels[side, canvas.MARGIN_PX - 3 : canvas.MARGIN_PX]
        assert count(frame, color) >= 3 * 128
        assert count(frame, other) == 0


@pytest.mark.parametrize(
    ("probabilities", "true", "shown"),
    [
        ([0.1, 0.6, 0.3], 0, [1, 2, 0]),
        ([0.3, 0.2, 0.2, 0.1, 0.1, 0.1], 1, [0, 1, 2, 3, 4]),
        ([0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.0], 6, [0, 1, 2, 3, 6]),
    ],
    ids=["all", "the most probable", "and the true one"],
)
def test_which_classes_have_bars(probabilities, true, shown):
    assert tiles.bars_of(np.array(probabilities, np.float32), true) == shown


def test_least_certain_first():
    figure = uncertain.draw(answered(IMAGES, PREDICTIONS))

    numbers = [words for words in texts(figure) if words.startswith("#") and words[1:].isdigit()]
    assert numbers == ["#1", "#3", "#0", "#2"]
    assert texts(figure)[1].startswith("The 4 of 4 test images whose predicted class has")


def test_no_mistakes_at_all():
    right = made_up.predictions(
        PREDICTIONS.predicted, PREDICTIONS.probabilities, PREDICTIONS.classes
    )

    figure = mistakes.draw(answered(IMAGES, right))

    assert texts(figure) == [
        "Most confident mistakes",
        "There is none: all 4 test images are classified right.",
    ]
    assert figure.bbox.height == canvas.HEADING_PX


def test_more_mistakes_than_there_is_room_for():
    probabilities = np.tile(np.array([[0.25, 0.75]], np.float32), (1500, 1))
    wrong = made_up.predictions(np.zeros(1500, int), probabilities, ("a", "b"))
    images = np.zeros((1500, 8, 8, 1), np.uint8)

    words = texts(mistakes.draw(answered(images, wrong)))

    assert words[1] == "The 12 of 1,500 mistakes on 1,500 test images, the surest first."
    assert words.count("✗ predicted: b") == 12


def test_of_many_classes_it_says_how_many_bars_are_shown():
    classes = tuple("abcdefg")
    one = made_up.predictions([0], np.full((1, 7), 1 / 7, np.float32), classes)
    text = texts(uncertain.draw(answered(IMAGES[:1], one)))[1]
    assert text.replace("\n", " ").endswith(
        "Bars: 5 of 7 classes, the most probable and the true one."
    )


def test_activations_stand_beside_their_images(tmp_path):
    rows = np.array([0, 1, 3, 2])
    maps = np.zeros((4, 2, 2), np.float32)
    maps[2] = 1  # of row 3, the third tile

    pixels = pixels_of(tmp_path, activations.beside(IMAGES[rows], maps, PREDICTIONS, rows))

    top = canvas.HEADING_PX + tiles.LEGEND_PX + tiles.TITLES_PX
    step = tiles.TILE_PX + tiles.GAP_PX
    left = canvas.MARGIN_PX + 128 + activations.GAP_PX
    marked = [pixels[top + 64, left + column * step + 64].tolist() for column in range(3)]
    assert marked[0] == marked[1] == [0, 0, 0]
    assert marked[2][0] > 100
    assert pixels[top + 64, canvas.MARGIN_PX + 2 * step + 64].tolist() == [0, 0, 0]
