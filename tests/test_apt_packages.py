"""A tiny .deb, served by a stand-in for apt-get."""

import gzip
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imago.core.errors import SourceError
from imago.sources import apt_packages, store

IMAGES, LABELS = b"\x00\x01" * 500, b"\x07" * 10
DIGESTS = [hashlib.sha256(content).hexdigest() for content in (IMAGES, LABELS)]

APT_GET = """\
#!/bin/sh
echo "$@" >> "$FAKE_APT/asked"
case "$2" in
    update) echo "W: Failed to fetch http://host/InRelease" >&2 ;;
    download)
        if [ "$3" != dataset-digits ]; then
            echo "E: Unable to locate package $3" >&2
            exit 100
        fi
        cp "$FAKE_APT/dataset-digits_1_all.deb" . ;;
esac
"""

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="builds a .deb")


@pytest.fixture
def fake_apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with an apt-get that offers the package dataset-digits."""
    folder = tmp_path / "fake_apt"
    folder.mkdir()
    script = folder / "apt-get"
    script.write_text(APT_GET)
    script.chmod(0o755)
    monkeypatch.setenv("FAKE_APT", str(folder))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return folder


def build_deb(folder: Path) -> None:
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        "Package: dataset-digits\nVersion: 1\nArchitecture: all\n"
        "Maintainer: A <a@b.invalid>\nDescription: digits\n"
    )
    data = tree / "usr/share/datasets/digits"
    data.mkdir(parents=True)
    (data / "images.idx3").write_bytes(IMAGES)
    (data / "labels.gz").write_bytes(gzip.compress(LABELS))
    (data / "link").symlink_to("/etc/hostname")
    deb = folder / "dataset-digits_1_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, deb], check=True, capture_output=True
    )


@needs_dpkg
def test_files_are_found_by_digest(fake_apt: Path) -> None:
    build_deb(fake_apt)
    absent = hashlib.sha256(b"absent").hexdigest()
    assert apt_packages.keep("dataset-digits", [*DIGESTS, absent]) == set(DIGESTS)
    assert store.kept(DIGESTS[0]).read_bytes() == IMAGES
    assert store.kept(DIGESTS[1]).read_bytes() == LABELS


@needs_dpkg
def test_all_of_it_is_found_as_one_tar(fake_apt: Path) -> None:
    build_deb(fake_apt)
    command = ["dpkg-deb", "--fsys-tarfile", fake_apt / "dataset-digits_1_all.deb"]
    whole = subprocess.run(command, check=True, capture_output=True).stdout
    digest = hashlib.sha256(whole).hexdigest()
    assert apt_packages.keep("dataset-digits", [digest, DIGESTS[1]]) == {digest, DIGESTS[1]}
    assert store.kept(digest).read_bytes() == whole


@needs_dpkg
def test_nothing_else_is_left(fake_apt: Path) -> None:
    build_deb(fake_apt)
    apt_packages.keep("dataset-digits", DIGESTS)
    left = {path.name for path in Path(".imago/downloads").iterdir()}
    assert left == set(DIGESTS)


@needs_dpkg
def test_apt_get_writes_to_folders_of_its_own(fake_apt: Path) -> None:
    build_deb(fake_apt)
    apt_packages.keep("dataset-digits", DIGESTS)
    update, download = (fake_apt / "asked").read_text().splitlines()
    configuration = f"--config-file={Path('.imago/downloads').absolute()}/apt-"
    assert update.startswith(configuration)
    assert download.startswith(configuration)
    assert download.endswith("/apt.conf download dataset-digits")


@needs_dpkg
def test_a_package_that_there_is_not(fake_apt: Path) -> None:
    message = "^W: Failed to fetch http://host/InRelease; E: Unable to locate package dataset-x$"
    with pytest.raises(SourceError, match=message):
        apt_packages.keep("dataset-x", DIGESTS)
    assert list(Path(".imago/downloads").iterdir()) == []


@needs_dpkg
def test_a_damaged_package_is_told(fake_apt: Path) -> None:
    (fake_apt / "dataset-digits_1_all.deb").write_bytes(b"no package")
    with pytest.raises(SourceError, match=r"^dpkg-deb: error: "):
        apt_packages.keep("dataset-digits", DIGESTS)


def test_a_machine_without_apt_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"^apt-get is not on this machine$"):
        apt_packages.keep("dataset-digits", DIGESTS)
