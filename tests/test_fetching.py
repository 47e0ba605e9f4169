"""The order of sources, what each kind serves, and the error when none does."""

import gzip
import hashlib
import logging
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago.core import sections
from imago.core.errors import SourceError
from imago.sources import fetching, kinds, retries, store
from tests.flaky_server import FlakyServer, Truncate, serving

CONTENTS = {"images": b"\x00\x01" * 500, "labels": b"\x07" * 10}
WANTED = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
UNPUBLISHED = dict.fromkeys(CONTENTS)
WRONG = hashlib.sha256(b"wrong").hexdigest()


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def unreachable() -> Iterator[str]:
    """A URL at which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def fetch(*texts: str, mirror: str | None = None) -> None:
    fetching.fetch("datasets.digits", WANTED, kinds.in_order("digits", texts, mirror))


def fetch_unpublished(*texts: str, mirror: str | None = None) -> dict[str, str]:
    return fetching.fetch("weights.net", UNPUBLISHED, kinds.in_order("net", texts, mirror))


def assert_all_kept() -> None:
    for name, content in CONTENTS.items():
        assert store.kept(WANTED[name]).read_bytes() == content


def write(folder: str, suffix: str = "") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        data = gzip.compress(content) if suffix == ".gz" else content
        Path(folder, name + suffix).write_bytes(data)


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gz"])
@pytest.mark.parametrize("folder", ["mirror/digits", "mirror"], ids=["by data set", "flat"])
def test_a_mirror_folder(folder: str, suffix: str) -> None:
    write(folder, suffix)
    fetch("https://host.invalid/{name}", mirror="mirror")
    assert_all_kept()


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gz"])
@pytest.mark.parametrize("folder", ["/m/digits", "/m"], ids=["by data set", "flat"])
def test_a_mirror_url(server: FlakyServer, folder: str, suffix: str) -> None:
    for name, content in CONTENTS.items():
        data = gzip.compress(content) if suffix else content
        server.files[f"{folder}/{name}{suffix}"] = data
    fetch("https://host.invalid/{name}", mirror=f"{server.url}/m")
    assert_all_kept()


@pytest.mark.parametrize("text", ["own", "own/", "own/{name}", "absolute"])
@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gz"])
def test_a_local_path(text: str, suffix: str, tmp_path: Path) -> None:
    write("own", suffix)
    fetch(str(tmp_path / "own") if text == "absolute" else text)
    assert_all_kept()


def test_a_copy_of_the_project_by_dvc_takes_files_that_git_does_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("published")
    copy = tmp_path / ".dvc/tmp/exps/some"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    fetch("published/{name}")
    assert_all_kept()


@pytest.mark.parametrize(
    ("there", "remedy"),
    [
        (True, "`imago add own/pets.zip --name pets`, if it is your own and has changed"),
        (False, "`imago add pets.zip --name pets`, if it is your own and has moved, in the folder"),
    ],
)
def test_a_zip_of_ones_own_is_to_be_added_again(there: bool, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    if there:
        (tmp_path / "own/pets.zip").write_bytes(b"changed")
    sources = kinds.in_order("pets", ["own/{name}"], None)
    with pytest.raises(SourceError, match=re.escape(f"What to do, one of:\n  run {remedy}")):
        fetching.fetch("datasets.pets", {"pets.zip": WRONG}, sources)


def test_local_files_may_be_named_one_by_one() -> None:
    write("own", ".gz")
    fetch("own/images.gz", "own/labels.gz")
    assert_all_kept()


def test_each_source_is_asked_for_what_is_still_missing(
    server: FlakyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.files["/first/images"] = CONTENTS["images"]
    server.files["/second/labels.gz"] = gzip.compress(CONTENTS["labels"])
    server.files["/second/images.gz"] = gzip.compress(CONTENTS["images"])
    with caplog.at_level(logging.INFO, "imago"):
        fetch(f"{server.url}/first/{{name}}", f"{server.url}/second/{{name}}.gz", "unused")
    assert server.paths == ["/first/images", "/first/labels", "/second/labels.gz"]
    assert caplog.messages == [
        f"images: 1,000 bytes from {server.url}/first/{{name}}",
        f"{server.url}/first/{{name}}: 404 Not Found (1 of 2 files)",
        f"labels: 10 bytes from {server.url}/second/{{name}}.gz",
    ]


def test_nothing_is_fetched_again(server: FlakyServer, caplog: pytest.LogCaptureFixture) -> None:
    server.files |= {f"/{name}": content for name, content in CONTENTS.items()}
    fetch(f"{server.url}/{{name}}")
    with caplog.at_level(logging.INFO, "imago"):
        fetch(f"{server.url}/{{name}}")
    assert server.paths == ["/images", "/labels"]
    assert "images: kept from an earlier fetch" in caplog.messages


def test_a_damaged_kept_file_is_fetched_anew(server: FlakyServer) -> None:
    server.files |= {f"/{name}": content for name, content in CONTENTS.items()}
    fetch(f"{server.url}/{{name}}")
    store.kept(WANTED["labels"]).write_bytes(b"damaged")
    fetch(f"{server.url}/{{name}}")
    assert server.paths == ["/images", "/labels", "/labels"]
    assert_all_kept()


def test_an_unreachable_host_is_not_asked_for_further_files(
    server: FlakyServer, unreachable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    genuine = fetching.downloads.fetch
    monkeypatch.setattr(
        fetching.downloads,
        "fetch",
        lambda url, *rest, **more: asked.append(url) or genuine(url, *rest, **more),
    )
    server.files |= {f"/{name}": content for name, content in CONTENTS.items()}
    fetch(f"{unreachable}/{{name}}", f"{server.url}/{{name}}")
    assert asked == [f"{unreachable}/images", f"{server.url}/images", f"{server.url}/labels"]
    assert_all_kept()


def test_a_wrong_file_in_the_mirror_is_told_and_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    write("own")
    write("mirror")
    Path("mirror/labels").write_bytes(b"wrong")
    with caplog.at_level(logging.INFO, "imago"):
        fetch("own", mirror="mirror")
    told = f"mirror/labels: sha256 is {WRONG}, must be {WANTED['labels']}"
    assert f"IMAGO_MIRROR mirror: {told} (1 of 2 files)" in caplog.messages
    assert_all_kept()


def test_the_error_lists_all_that_was_tried(server: FlakyServer, unreachable: str) -> None:
    Path("own").mkdir()
    Path("own/labels").write_bytes(b"wrong")
    with pytest.raises(SourceError) as caught:
        fetch(f"{server.url}/{{name}}.gz", f"{unreachable}/{{name}}", "own/{name}", mirror="typo")
    assert str(caught.value) == (
        "no source gives 2 of the 2 files:\n"
        "  images\n"
        "    IMAGO_MIRROR typo: no folder typo\n"
        f"    {server.url}/{{name}}.gz: 404 Not Found\n"
        f"    {unreachable}/{{name}}: Connection refused\n"
        "    own/{name}: no such file\n"
        "  labels\n"
        "    IMAGO_MIRROR typo: no folder typo\n"
        f"    {server.url}/{{name}}.gz: 404 Not Found\n"
        f"    {unreachable}/{{name}}: Connection refused\n"
        f"    own/{{name}}: own/labels: sha256 is {WRONG}, must be {WANTED['labels']}\n"
        "What to do, one of:\n"
        "  set IMAGO_MIRROR to a folder or URL that holds the files, in digits/ or by\n"
        "    themselves, as they are or as .gz\n"
        "  name the folder in which they lie under datasets.digits.sources of params.yaml, "
        "and under\n"
        "    datasets.digits.files the names that they have there, with their sha256\n"
        "  run `dvc pull`, if a DVC remote has them"
    )


def test_files_with_one_fate_share_its_lines() -> None:
    with pytest.raises(SourceError, match=r"\n  images\n  labels\n    own: no folder own\n"):
        fetch("own")


def test_a_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    write("own")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(SourceError, match="own: own: cannot be read: Permission denied"):
        fetch("own")


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "gz"])
@pytest.mark.parametrize("text", ["own", "own/{name}", "mirror"])
def test_without_a_digest_a_name_is_trusted(text: str, suffix: str) -> None:
    write("own", suffix)
    mirror = "own" if text == "mirror" else None
    assert fetch_unpublished(text, mirror=mirror) == WANTED
    assert_all_kept()


def test_without_a_digest_a_url_is_trusted(server: FlakyServer) -> None:
    server.files["/files/images?download=1"] = CONTENTS["images"]
    server.files["/files/labels?download=1"] = CONTENTS["labels"]
    server.script["/files/labels?download=1"] = [Truncate(3)]
    assert fetch_unpublished(f"{server.url}/files/{{name}}?download=1") == WANTED
    assert_all_kept()


def test_without_a_digest_a_file_of_another_name_is_not_taken() -> None:
    write("own")
    with pytest.raises(SourceError) as caught:
        fetch_unpublished("own/images")
    assert (
        "  labels\n    own/images: own/images: is not named labels, and its digest is unpublished\n"
        in str(caught.value)
    )
    assert "  images\n" not in str(caught.value)


def test_without_a_digest_a_file_is_fetched_anew(server: FlakyServer) -> None:
    for content in (b"of the first day", b"of the second day"):
        server.files |= {f"/{name}": content for name in CONTENTS}
        found = fetch_unpublished(f"{server.url}/{{name}}")
        assert set(found.values()) == {hashlib.sha256(content).hexdigest()}


def test_without_a_digest_packages_cannot_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(fetching.pip_packages, "_keep_from")  # not even asked
    monkeypatch.delattr(fetching.apt_packages, "_download")
    with pytest.raises(SourceError) as caught:
        fetch_unpublished("pip:a==1", "apt:aa")
    fault = "a package's files are known by their digest, which is unpublished"
    assert f"    pip:a==1: {fault}\n    apt:aa: {fault}\n" in str(caught.value)
    assert "under weights.net.sources of params.yaml" in str(caught.value)
    assert "in net/ or by" in str(caught.value)


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("wanted", [WANTED, UNPUBLISHED], ids=["digest", "no digest"])
def test_a_mirror_holds_files_alone(kind: str, wanted: dict[str, str | None]) -> None:
    name = next(iter(wanted))
    odd = Path("mirror") / name
    odd.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/dev/zero")
    sources = kinds.in_order("digits", [], str(odd.parent))
    with pytest.raises(SourceError, match=r"must be a file, got a pipe, a device or a socket"):
        fetching.fetch("datasets.digits", {name: wanted[name]}, sources)


def test_a_gzip_without_a_digest_unpacks_within_bounds() -> None:
    name = "images"
    Path("own").mkdir()
    Path("own", f"{name}.gz").write_bytes(gzip.compress(bytes(70 * 2**20)))
    sources = kinds.in_order("net", ["own"], None)
    with pytest.raises(SourceError, match=r"unpacks to more than 67,108,864 bytes, which limits"):
        fetching.fetch("weights.net", {name: None}, sources)
    enough = sections.Limits(unpacked_ratio=2000)
    assert fetching.fetch("weights.net", {name: None}, sources, enough)
