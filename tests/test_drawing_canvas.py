import itertools

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from imago.drawing import canvas, sheets

LONG = "Great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias"


def fitted(text, width_px, lines=1):
    figure = canvas.blank(400, 60)
    return canvas.write_text(figure, 10, 10, text, width_px=width_px, lines=lines)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.001, "<1 %"),
        (0.01, "1 %"),
        (0.126, "13 %"),
        (0.99, "99 %"),
        (0.9999, ">99 %"),
        (1.0, "100 %"),
    ],
)
def test_percent_claims_no_more_than_is_so(share, said):
    assert canvas.percent(share) == said


def test_a_text_that_fits_stays():
    assert fitted("T-shirt/top", 200).get_text() == "T-shirt/top"


def test_a_long_text_keeps_its_beginning_and_its_end():
    found = fitted("Appenzeller Sennenhund, short-haired 17", 150)

    assert found.get_text().startswith("Appenzeller")
    assert found.get_text().endswith("17")
    assert "…" in found.get_text()


@pytest.mark.parametrize("text", [LONG, "W" * 90, "i" * 200, "$5_a^", "", "x"], ids=repr)
@pytest.mark.parametrize("lines", [1, 2])
@pytest.mark.parametrize("width_px", [40, 130])
def test_a_text_is_no_wider_than_its_room(text, lines, width_px):
    found = fitted(text, width_px, lines)

    assert found.get_text().count("\n") < lines
    assert found.get_window_extent().width <= width_px


def test_the_longest_text_that_fits_is_chosen():
    figure = canvas.blank(400, 60)
    cut = fitted("i" * 200, 100).get_text()
    assert canvas.write_text(figure, 0, 0, cut + "i").get_window_extent().width > 100


@pytest.mark.parametrize(("align", "side"), [("left", "x0"), ("right", "x1")])
def test_places_are_pixels_from_the_top(align, side):
    figure = canvas.blank(300, 200)

    box = canvas.write_text(figure, 150, 40, "Hg", align=align, hang="top").get_window_extent()

    assert getattr(box, side) == pytest.approx(150, abs=1)
    assert box.y1 == pytest.approx(160, abs=1)


def test_axes_are_placed_in_pixels():
    figure = canvas.blank(300, 200)
    axes = canvas.place(figure, 30, 20, 100, 50)
    assert axes.get_window_extent().bounds == pytest.approx((30, 130, 100, 50))


def test_a_heading_wraps_within_the_figure():
    figure = canvas.blank(300, 200)

    canvas.heading(figure, LONG, LONG)

    assert all(text.get_window_extent().x1 <= 300 for text in figure.texts)
    assert min(text.get_window_extent().y0 for text in figure.texts) >= 200 - canvas.HEADING_PX


def test_pixels_of_a_sheet_are_those_of_the_file(tmp_path):
    sheet = sheets.Sheet.blank(20, 10)
    sheet.image(3, 2, np.full((4, 5, 3), 77, np.uint8))
    sheet.box(10, 5, 6, 2, "#0072b2")
    sheet.framed(2, 1, np.zeros((1, 1, 3), np.uint8), "#d55e00", frame_px=1)

    canvas.write(tmp_path / "sheet.png", sheet.finish())

    expected = np.full((10, 20, 3), 255, np.uint8)
    expected[2:6, 3:8] = 77
    expected[5:7, 10:16] = (0, 0x72, 0xB2)
    expected[0:3, 1:4] = (0xD5, 0x5E, 0)
    expected[1, 2] = 0
    with Image.open(tmp_path / "sheet.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), expected)


@pytest.mark.parametrize(
    ("side", "cell_px", "shown"),
    [(28, 128, 112), (32, 128, 128), (64, 69, 64), (128, 104, 104), (1, 7, 7)],
)
def test_small_images_are_enlarged_by_whole_factors_and_large_ones_shrunk(side, cell_px, shown):
    image = np.random.default_rng(1).integers(0, 256, (side, side, 1), dtype=np.uint8)

    found = sheets.shown(image, cell_px)

    assert found.shape == (shown, shown, 3)
    assert sheets.cell_px(image.shape, cell_px) == shown
    if shown >= side:
        factor = shown // side
        np.testing.assert_array_equal(found[::factor, ::factor, 0], image[..., 0])


def test_an_image_that_is_not_square_keeps_its_form():
    image = np.zeros((600, 400, 3), np.uint8)
    assert sheets.shown(image, 90).shape == (90, 60, 3)


def contrast(*colors):
    """Source: Web Content Accessibility Guidelines 2.1, contrast ratio."""
    found = []
    for color in colors:
        rgb = np.array(mpl.colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        found.append(linear @ (0.2126, 0.7152, 0.0722) + 0.05)
    return max(found) / min(found)


@pytest.mark.parametrize("color", [canvas.INK, canvas.GRAY, canvas.RIGHT, canvas.WRONG])
def test_letters_stand_out_from_white(color):
    assert contrast(color, "white") > 3.8


def as_seen_without(cone):
    """RGB as dichromats see it: simulation matrices on linear RGB.

    Source: Machado, Oliveira, Fernandes, IEEE TVCG 15 (2009) 1291-1298, severity 1.
    """
    return {
        "red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998]],
        "green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                  [-0.011820, 0.042940, 0.968881]],
        "blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                 [0.004733, 0.691367, 0.303900]],
    }[cone]  # fmt: skip


@pytest.mark.parametrize("cone", ["red", "green", "blue"])
def test_right_wrong_and_other_differ_without_one_kind_of_cone(cone):
    colors = [mpl.colors.to_rgb(c) for c in (canvas.RIGHT, canvas.WRONG, canvas.LIGHT)]
    seen = [np.clip(np.array(as_seen_without(cone)) @ np.power(c, 2.2), 0, 1) for c in colors]
    for one, other in itertools.combinations(seen, 2):
        assert np.abs(one - other).max() > 0.15


def test_equal_figures_are_equal_bytes_without_metadata(tmp_path):
    for name in ("one.png", "two.png"):
        figure = canvas.blank(100, 50)
        canvas.write_text(figure, 5, 5, "cat")
        canvas.write(tmp_path / name, figure)

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as picture:
        picture.load()
        assert picture.info == {}
