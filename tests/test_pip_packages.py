"""Packages of a local package index, with the settings that pip itself would use."""

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from imago.core.errors import SourceError
from imago.sources import pip_packages, retries, store
from tests.flaky_server import FlakyServer, Status, Truncate, serving

IMAGES, LABELS = b"\x00\x01" * 500, b"\x07" * 10
DIGESTS = [hashlib.sha256(content).hexdigest() for content in (IMAGES, LABELS)]
MEMBERS = {
    "digits_dir/train-images.idx3-ubyte": IMAGES,
    "digits_dir/labels.gz": gzip.compress(LABELS),
    # As in a wheel that pip refuses: no name, and a version that is none.
    "digits_dir-0.2.0.dist-info/METADATA": b"Metadata-Version: 1\nVersion: <unknown>\n\n",
}
WHEEL = "digits_dir-0.2.0-py3-none-any.whl"
SDIST = "digits-dir-0.2.0.tar.gz"


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _configuration(server: FlakyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)


def wheel(members: dict[str, bytes] = MEMBERS) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def sdist() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in MEMBERS.items():
            member = tarfile.TarInfo(f"digits-dir-0.2.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def publish(server: FlakyServer, packages: dict[str, bytes], digests: bool = True) -> None:
    links = ""
    for name, content in packages.items():
        server.files[f"/packages/{name}"] = content
        fragment = f"#sha256={hashlib.sha256(content).hexdigest()}" if digests else ""
        links += f'<a href="../../packages/{name}{fragment}">{name}</a>\n'
    server.files["/simple/digits-dir/"] = f"<!DOCTYPE html><html>{links}</html>".encode()


def keep(version: str = "0.2.0") -> set[str]:
    return pip_packages.keep("Digits_dir", version, DIGESTS)


def assert_all_kept() -> None:
    assert store.kept(DIGESTS[0]).read_bytes() == IMAGES
    assert store.kept(DIGESTS[1]).read_bytes() == LABELS


@pytest.mark.parametrize("digests", [True, False], ids=["digest given", "no digest given"])
def test_one_download_serves_all_files(server: FlakyServer, digests: bool) -> None:
    other = {"digits_dir-0.1.0-py3-none-any.whl": b"older", SDIST: sdist()}
    publish(server, {**other, WHEEL: wheel()}, digests)
    assert keep() == set(DIGESTS)
    assert server.paths == ["/simple/digits-dir/", f"/packages/{WHEEL}"]
    assert_all_kept()


def test_an_sdist_serves_where_there_is_no_wheel(server: FlakyServer) -> None:
    publish(server, {SDIST: sdist()})
    assert keep() == set(DIGESTS)
    assert_all_kept()


def test_an_sdist_serves_what_the_wheel_lacks(server: FlakyServer) -> None:
    publish(server, {WHEEL: wheel({"images": IMAGES}), SDIST: sdist()})
    assert keep() == set(DIGESTS)
    assert_all_kept()


def test_a_package_without_the_files(server: FlakyServer) -> None:
    publish(server, {WHEEL: wheel({"images": IMAGES})})
    assert keep() == set(DIGESTS[:1])


def test_a_package_that_breaks_off_is_resumed(server: FlakyServer) -> None:
    publish(server, {WHEEL: wheel()})
    server.script[f"/packages/{WHEEL}"] = [Truncate(100)]
    assert keep() == set(DIGESTS)
    assert server.range_headers == [None, None, "bytes=100-"]


def test_the_index_may_fail_for_a_while(server: FlakyServer) -> None:
    publish(server, {WHEEL: wheel()})
    server.script["/simple/digits-dir/"] = [Status(503), Truncate(10)]
    assert keep() == set(DIGESTS)


def test_a_package_with_another_digest_than_the_index_says(server: FlakyServer) -> None:
    publish(server, {WHEEL: wheel()})
    server.files[f"/packages/{WHEEL}"] += b"!"
    with pytest.raises(SourceError, match=rf"127.0.0.1: sha256 of {WHEEL} is \w+, the index says"):
        keep()
    assert list(Path(".imago/downloads").rglob("*.part")) == []


def test_a_further_index(server: FlakyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(server, {WHEEL: wheel()})
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/empty")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"file:///wheels {server.url}/simple")
    assert keep() == set(DIGESTS)


@pytest.mark.parametrize(
    ("version", "reason"),
    [("9.9", "^127.0.0.1: has 0.1.0, 0.2.0 of Digits_dir, not 9.9$")],
)
def test_a_version_that_there_is_not(server: FlakyServer, version: str, reason: str) -> None:
    publish(server, {WHEEL: wheel(), "digits-dir-0.1.0.tar.gz": b""})
    with pytest.raises(SourceError, match=reason):
        keep(version)


def test_a_package_that_there_is_not() -> None:
    with pytest.raises(SourceError, match=r"^127.0.0.1: has no package Digits_dir$"):
        keep()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"%PDF", "application/pdf"), (b"{}", "application/vnd.pypi.simple.v1+json")],
    ids=["another type", "malformed"],
)
def test_an_index_that_is_none(server: FlakyServer, content: bytes, content_type: str) -> None:
    server.files["/simple/digits-dir/"] = content
    server.content_types["/simple/digits-dir/"] = content_type
    with pytest.raises(SourceError, match="does not answer as a package index does"):
        keep()


def test_no_index_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "file:///wheels")
    with pytest.raises(SourceError, match=r"^pip is set up without an http\(s\) index$"):
        keep()


def test_settings_come_from_pips_file_and_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = http://file/\nextra-index-url =\n  http://a\n  http://b\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    urls = pip_packages.index_urls(pip_packages.pip_settings())
    assert urls[1:] == ["http://a", "http://b"]
    assert urls[0].endswith("/simple")  # the environment goes before the file

    monkeypatch.delenv("PIP_INDEX_URL")
    urls = pip_packages.index_urls(pip_packages.pip_settings())
    assert urls == ["http://file/", "http://a", "http://b"]


def test_without_pip_its_environment_variables_still_count(
    monkeypatch: pytest.MonkeyPatch, server: FlakyServer
) -> None:
    def no_pip(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([sys.executable], 1, "", "No module named pip")

    monkeypatch.setattr(subprocess, "run", no_pip)
    monkeypatch.setenv("PIP_CERT", "authorities.pem")
    settings = pip_packages.pip_settings()
    assert settings["cert"] == "authorities.pem"
    assert pip_packages.index_urls(settings) == [f"{server.url}/simple"]


def test_the_librarys_index_is_the_default() -> None:
    assert pip_packages.index_urls({}) == [PYPI_SIMPLE_ENDPOINT]


@pytest.mark.parametrize(
    ("url", "sent_to"),
    [
        ("https://index/a.whl", "https://me:secret@index/a.whl"),
        ("https://elsewhere/a.whl", "https://elsewhere/a.whl"),
    ],
    ids=["same host", "another host"],
)
def test_a_login_goes_to_its_own_host_only(url: str, sent_to: str) -> None:
    assert pip_packages._with_login(url, "https://me:secret@index/simple") == sent_to
