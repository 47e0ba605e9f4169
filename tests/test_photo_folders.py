import errno
import hashlib
import io
import logging
import os
import tarfile
from pathlib import Path

import pytest

from imago.core import paths
from imago.core.errors import DiskFullError, ParamsError, SourceError
from imago.datasets.image_folder import archives
from imago.sources import fetching, kinds, photo_folders

PHOTOS = {"cat/1.jpg": b"one", "cat/2.jpg": b"two", f"dog/{'ö' * 70}.png": b"three" * 300}
TAR = b"".join(photo_folders.packed(sorted(PHOTOS.items())))
DIGEST = hashlib.sha256(TAR).hexdigest()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths.downloads().mkdir(parents=True)
    for name, content in PHOTOS.items():
        path = tmp_path / "own/pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    listing = {name: hashlib.sha256(content).hexdigest() for name, content in PHOTOS.items()}
    photo_folders.write_listing(paths.listing("pets"), listing)
    return Path("own/pets")


def fetch(source="folder:own/pets", digest=DIGEST, name="pets.tar"):
    sources = kinds.in_order("pets", [source], None)
    fetching.fetch("datasets.pets", {name: digest}, sources)
    return (paths.downloads() / digest).read_bytes()


def test_the_tar_is_one_that_all_read(tmp_path):
    with tarfile.open(fileobj=io.BytesIO(TAR)) as tar:
        found = {one.name: (tar.extractfile(one).read(), one.mtime, one.uid) for one in tar}
    assert found == {name: (content, 0, 0) for name, content in PHOTOS.items()}

    (tmp_path / "pets.tar").write_bytes(TAR)
    with archives.opened(tmp_path / "pets.tar") as archive:
        assert {name: archive.read(name) for name in archive.files} == PHOTOS


def test_its_bytes_are_the_same_for_ever():
    content = photo_folders.packed([("cat/1.jpg", b"one")])
    assert hashlib.sha256(b"".join(content)).hexdigest() == (
        "d3c61bdf45a8600873600bee1faf6b94f7147d0827e561c9ec1b78ad916f433d"
    )


def test_digests():
    digest, listing = photo_folders.digests(sorted(PHOTOS), PHOTOS.__getitem__)

    assert digest == DIGEST
    assert listing == photo_folders.read_listing(paths.listing("pets"))


def test_a_folder_is_fetched_as_its_listing_says(caplog):
    with caplog.at_level(logging.WARNING, "imago"):
        assert fetch() == TAR
    assert caplog.messages == []


def test_names_in_another_unicode_form(folder):
    (folder / f"dog/{'ö' * 70}.png").rename(folder / "dog" / ("o\u0308" * 70 + ".png"))

    assert fetch() == TAR


def test_new_photos_are_told(folder, caplog):
    (folder / "cat/3.jpg").touch()
    (folder / "cat/notes.txt").touch()
    with caplog.at_level(logging.WARNING, "imago"):
        assert fetch() == TAR
    assert caplog.messages == [
        "own/pets: 1 new: cat/3.jpg; to take them in, run `imago add own/pets --name pets` again"
    ]


def test_photos_that_are_not_as_they_were_are_named(folder):
    (folder / "cat/1.jpg").write_bytes(b"changed")
    (folder / "cat/2.jpg").rename(folder / "cat/3.jpg")
    message = (
        "folder:own/pets: is not as it was when it was added: 1 changed: cat/1.jpg; 1 missing: "
        "cat/2.jpg; 1 new: cat/3.jpg; run `imago add own/pets --name pets` again"
    )
    with pytest.raises(SourceError) as caught:
        fetch()
    assert message in str(caught.value)
    assert list(paths.downloads().iterdir()) == []


def test_a_folder_that_moved(folder):
    folder.rename("pets")
    message = "no such folder; where it is now, run `imago add own/pets --name pets` again"
    with pytest.raises(SourceError, match=message):
        fetch()


def test_a_photo_that_cannot_be_read(monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SourceError, match=r"cat/1\.jpg: cannot be read: Permission denied"):
        fetch()
    assert list(paths.downloads().iterdir()) == []


def test_a_full_disk_is_said_as_such(monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(photo_folders, "packed", fail)
    with pytest.raises(DiskFullError, match="No space left on device; make space"):
        fetch()


def test_a_listing_of_another_time():
    message = "listings/pets.csv belongs to another state of params.yaml: the sha256 of its photos"
    with pytest.raises(SourceError, match=message):
        fetch(digest="0" * 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "listings/pets.csv: not found; it belongs to params.yaml"), ("a,b\n1,2\n", "a table")],
)
def test_no_listing(text, message):
    paths.listing("pets").unlink()
    if text:
        paths.listing("pets").write_text(text)
    with pytest.raises(SourceError, match=message):
        fetch()


def test_a_folder_gives_no_other_file():
    with pytest.raises(SourceError, match=r"pets\.zip\n    no source may have it: a folder "):
        fetch(name="pets.zip")


def test_a_kept_tar_needs_no_folder(folder):
    fetch()
    folder.rename("elsewhere")

    assert fetch() == TAR


def test_differences():
    before, now = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}

    assert photo_folders.differences(before, now) == "1 new: d; 1 changed: c; 1 missing: a"
    assert photo_folders.differences(now, now) == ""


def test_a_source_without_a_folder():
    with pytest.raises(ParamsError, match="folder:PATH"):
        kinds.parse("folder:")
