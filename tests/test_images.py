import numpy as np
import pytest

from imago.core import sections
from imago.data import arrays
from imago.data.arrays import Statistics
from imago.images import forms
from imago.images.forms import Form
from imago.preparing import conversion


def noise(*shape):
    return np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)


def form(*shape, fit="stretch", interpolation="area"):
    return Form(shape, fit, interpolation)


def everything(count):
    return np.arange(count)


@pytest.mark.parametrize(("color", "expected"), [("grayscale", (28, 28, 1)), ("rgb", (28, 28, 3))])
def test_form_of_a_variant(color, expected):
    variant = sections.Prepare(
        dataset="pets",
        image_size_px=28,
        color=color,
        fit="pad",
        interpolation="linear",
        validation_fraction=0.0,
    )
    assert conversion.form(variant) == Form(expected, "pad", "linear")


def test_right_images_are_not_converted():
    pictures = noise(4, 5, 5, 3)

    assert forms.convert(pictures[0], form(5, 5, 3)).base is pictures
    (block,) = conversion.converted(pictures, everything(4), form(5, 5, 3))
    np.testing.assert_array_equal(block, pictures)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(3, 3, 1), (9, 9, 3), (3, 9, 1), (6, 5, 3)], ids=str)
def test_converted_gives_what_convert_gives(monkeypatch, channels, shape):
    pictures = noise(23, 6, 5, channels)
    rows = np.array([22, 3, 4, 5, 6, 0, 11])
    expected = np.stack([forms.convert(picture, form(*shape)) for picture in pictures[rows]])
    assert expected.shape == (7, *shape)
    assert expected.dtype == np.uint8

    for block_bytes in (1, 700, 10**6):
        monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
        for source in (pictures, list(pictures)):
            result = np.concatenate(list(conversion.converted(source, rows, form(*shape))))
            np.testing.assert_array_equal(result, expected)


def test_blocks_are_bounded(monkeypatch):
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 2 * 10 * 10 * 3)

    blocks = list(conversion.converted(noise(5, 2, 2, 1), everything(5), form(10, 10, 3)))

    assert [len(block) for block in blocks] == [2, 2, 1]


def test_read_only_memory_maps_are_converted(tmp_path):
    np.save(tmp_path / "images.npy", noise(3, 8, 8, 3))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")

    converted = np.concatenate(list(conversion.converted(mapped, everything(3), form(4, 4, 1))))

    expected = [forms.convert(picture, form(4, 4, 1)) for picture in noise(3, 8, 8, 3)]
    np.testing.assert_array_equal(converted, expected)


def statistics(*blocks):
    totals = conversion.Totals(blocks[0].shape[-1])
    passed = list(totals.over(blocks[1:], blocks[:1]))
    assert all(block is given for block, given in zip(passed, blocks[1:], strict=True))
    return totals.statistics()


def test_statistics_by_hand():
    pictures = np.array([[[[0, 10]], [[2, 10]]], [[[4, 10]], [[10, 14]]]], np.uint8)

    # Channel 0: 0, 2, 4, 10, mean 4, squared distances 16 + 4 + 0 + 36. Channel 1: 10, 10, 10, 14.
    assert statistics(pictures) == Statistics(mean=[4.0, 11.0], variance=[14.0, 3.0])


def test_statistics_of_one_value_have_no_variance():
    assert statistics(np.full((9, 7, 7, 1), 201, np.uint8)) == Statistics([201.0], [0.0])


def test_statistics_do_not_depend_on_the_blocks():
    pictures = noise(50, 7, 5, 3)
    expected = statistics(pictures)

    for parts in (2, 7, 50):
        assert statistics(*np.array_split(pictures, parts)) == expected
    np.testing.assert_allclose(expected.mean, pictures.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(expected.variance, pictures.var(axis=(0, 1, 2)), rtol=1e-12)
