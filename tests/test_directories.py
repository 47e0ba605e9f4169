import os

import pytest

from imago.core.errors import DataError
from imago.datasets.image_folder import archives


@pytest.fixture
def folder(tmp_path):
    for name in (
        "pets/cat/1.jpg",
        "pets/Ka\u0308tzchen/2.jpg",
        "pets/.git/3.jpg",
        "pets/dog/a.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / "pets/owl").mkdir()
    return tmp_path / "pets"


def test_a_folder_is_read_as_an_archive_is(folder):
    with archives.opened(folder) as archive:
        assert archive.files == ["Kätzchen/2.jpg", "cat/1.jpg", "dog/a.txt"]
        assert archive.folders == [".git/", "Kätzchen/", "cat/", "dog/", "owl/"]
        assert archive.read("Kätzchen/2.jpg") == "pets/Ka\u0308tzchen/2.jpg".encode()


def test_links_to_folders_and_files(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/9.jpg").write_bytes(b"nine")
    (folder / "owl/more").symlink_to(tmp_path / "elsewhere")
    (folder / "owl/1.jpg").symlink_to(tmp_path / "elsewhere/9.jpg")
    (tmp_path / "elsewhere/back").symlink_to(folder)

    with archives.opened(folder) as archive:
        assert [name for name in archive.files if name.startswith("owl")] == [
            "owl/1.jpg",
            "owl/more/9.jpg",
        ]
        assert archive.read("owl/1.jpg") == archive.read("owl/more/9.jpg") == b"nine"


def test_a_photo_that_is_none(folder):
    os.mkfifo(folder / "cat/2.jpg")
    (folder / "cat/3.jpg").symlink_to("nowhere")
    with archives.opened(folder) as archive:
        with pytest.raises(DataError, match=r"cat/2\.jpg: cannot be read: not a regular file"):
            archive.read("cat/2.jpg")
        with pytest.raises(DataError, match=r"cat/3\.jpg: cannot be read: No such file"):
            archive.read("cat/3.jpg")


def test_a_folder_that_cannot_be_looked_into(folder, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("cat"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="pets/cat: cannot be read: Permission denied"):
        archives.opened(folder).__enter__()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cat/1.JPG", "must differ by more than case or its form in Unicode from every other name"),
        ("cat/a\n.jpg", "name must have no control characters; rename it"),
        ("cat/caf\udce9.jpg", "name must be UTF-8; rename it, such as with `convmv`"),
    ],
)
def test_faulty_names(folder, name, message):
    (folder / name).touch()
    with pytest.raises(DataError, match=message):
        archives.opened(folder).__enter__()


def test_a_backslash_is_renamed_and_nothing_is_packed_anew(folder):
    (folder / "cat/a\\b.jpg").write_bytes(b"x")
    message = r"cat/a.b\.jpg: name must have no \\, .*; rename it"
    with pytest.raises(DataError, match=message), archives.opened(folder):
        pass
