import numpy as np
import pytest

from imago.core.errors import DataError, ParamsError
from imago.data import arrays, writing
from imago.drawing import augmented, canvas
from stages import preview
from tests.params_text import TEXT

CLASSES = ("cat", "dog")
LABELS = np.repeat(np.arange(12, dtype=np.int32) % 2, 3)
IMAGES = np.random.default_rng(5).integers(0, 256, (36, 4, 4, 1), dtype=np.uint8)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A variant of twelve images with two copies each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(TEXT, "utf-8")
    folder = tmp_path / "data/prepared/pets4"
    with writing.splits(folder, CLASSES, (4, 4, 1), views=2) as writer:
        writer.add("train", LABELS, [IMAGES])
    return tmp_path


def test_training_images_stand_above_their_copies(tree):
    preview.main("pets4")

    originals, copies, labels = augmented.sample(arrays.Split(IMAGES, LABELS), 2, 2)
    names = [CLASSES[label] for label in labels]
    canvas.write(tree / "expected.png", augmented.preview(originals, copies, names))
    found = (tree / "reports/variants/pets4.png").read_bytes()
    assert found == (tree / "expected.png").read_bytes()
    assert copies.shape == (2, 8, 4, 4, 1)


def test_two_runs_give_equal_bytes(tree):
    pictures = []
    for _ in range(2):
        preview.main("pets4")
        pictures.append((tree / "reports/variants/pets4.png").read_bytes())

    assert pictures[0] == pictures[1]
    assert pictures[0].startswith(b"\x89PNG")


@pytest.mark.usefixtures("tree")
def test_unknown_variant():
    with pytest.raises(ParamsError, match="unknown variant 'pets9'"):
        preview.main("pets9")


@pytest.mark.usefixtures("tree")
def test_a_variant_that_was_not_prepared():
    with pytest.raises(DataError, match=r"data/prepared/whole/dataset\.json: not found"):
        preview.main("whole")
