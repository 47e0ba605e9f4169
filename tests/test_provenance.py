"""What folders of data say of where they come from."""

import re

import pytest

from imago.core.errors import DataError
from imago.core.sections import Dataset
from imago.data import provenance

PETS = Dataset(layout="idx", licence="MIT", files={"a": "f" * 64}, sources=["pip:pets==1.0"])


@pytest.fixture
def folders(tmp_path):
    names = ("extracted", "prepared", "features")
    for name in names:
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in names]


def test_each_folder_adds_to_what_the_one_before_says(folders):
    extracted, prepared, features = folders
    provenance.write(extracted, "pets", PETS)
    provenance.carry(extracted, prepared, prepare={"name": "pets8", "seed": 1})
    provenance.carry(prepared, features, features={"backbone": "MobileNetV2"})

    dataset = {"name": "pets", "layout": "idx", "licence": "MIT", "files": {"a": "f" * 64}}
    assert provenance.read(extracted) == {"dataset": dataset}
    assert provenance.read(features) == {
        "dataset": dataset,
        "prepare": {"name": "pets8", "seed": 1},
        "features": {"backbone": "MobileNetV2"},
    }


def test_listings_are_carried_on_if_they_hold_rows(folders):
    extracted, prepared, features = folders
    provenance.write(extracted, "pets", PETS)
    rows = "path,reason\nü.jpg,truncated\n".encode()
    (extracted / "set_aside.csv").write_bytes(rows)
    (extracted / "leaks.csv").write_text("split,path\n")

    provenance.carry(extracted, prepared)
    provenance.carry(prepared, features)

    for folder in (prepared, features):
        assert (folder / "set_aside.csv").read_bytes() == rows
        assert not (folder / "leaks.csv").exists()


def test_a_folder_that_says_nothing(tmp_path):
    path = tmp_path / "provenance.json"
    message = f"{path}: not found; run the stage that writes {tmp_path}"
    with pytest.raises(DataError, match=re.escape(message)):
        provenance.carry(tmp_path, tmp_path)
