"""Transfers against a local server that fails as servers do; nothing waits, nothing leaves."""

import contextlib
import email.utils
import gzip
import hashlib
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imago.core import progress
from imago.core.errors import SourceError
from imago.sources import downloads, retries, store
from tests.flaky_server import FlakyServer, Replace, Stall, Status, Truncate, serving

CONTENT = bytes(range(256)) * 1200  # 307,200 bytes: several chunks
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with serving() as server:
        server.files["/file"] = CONTENT
        yield server


@pytest.fixture(autouse=True)
def waits_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """Work in an empty folder, and note the waits between attempts in place of waiting."""
    waits: list[float] = []
    monkeypatch.setattr(retries, "sleep", waits.append)
    monkeypatch.chdir(tmp_path)
    return waits


def fetch(server: FlakyServer, path: str = "/file", digest: str = DIGEST) -> None:
    accept = partial(store.take, digest=digest)
    downloads.fetch(server.url + path, digest, accept, "file")


def parts() -> list[Path]:
    return sorted(Path(".imago/downloads/parts").glob("*"))


def test_a_file_is_kept_under_its_digest(server: FlakyServer) -> None:
    fetch(server)
    assert store.kept(DIGEST).read_bytes() == CONTENT
    assert server.range_headers == [None]
    assert parts() == []


def test_gzip_is_peeled(server: FlakyServer) -> None:
    server.files["/file.gz"] = gzip.compress(CONTENT)
    fetch(server, "/file.gz")
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_a_gzip_that_is_wanted_as_it_is_stays_so(server: FlakyServer) -> None:
    archive = server.files["/file.gz"] = gzip.compress(CONTENT)
    digest = hashlib.sha256(archive).hexdigest()
    fetch(server, "/file.gz", digest)
    assert store.kept(digest).read_bytes() == archive


def test_a_gzip_labelled_as_a_compressed_body_is_peeled_once(server: FlakyServer) -> None:
    server.files["/file.gz"] = gzip.compress(CONTENT)
    server.encoding = "gzip"
    fetch(server, "/file.gz")
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_a_body_that_breaks_off_is_resumed(server: FlakyServer, waits_s: list[float]) -> None:
    server.script["/file"] = [Truncate(100_000), Truncate(50_000)]
    fetch(server)
    assert store.kept(DIGEST).read_bytes() == CONTENT
    assert server.range_headers == [None, "bytes=100000-", "bytes=150000-"]
    assert waits_s == [1.0, 2.0]


def test_a_body_that_stalls_is_resumed(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "READ_TIMEOUT_S", 0.2)
    server.script["/file"] = [Stall(2 * downloads.CHUNK_BYTES)]
    fetch(server)
    assert store.kept(DIGEST).read_bytes() == CONTENT
    assert server.range_headers == [None, f"bytes={2 * downloads.CHUNK_BYTES}-"]


def test_an_interrupted_download_is_resumed_by_the_next_run(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def interrupted(*_: Any) -> Iterator[Any]:
        def advance(_: int) -> None:
            raise KeyboardInterrupt

        yield advance

    with monkeypatch.context() as patch:
        patch.setattr(progress, "bar", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch(server)
    received = parts()[0].stat().st_size
    assert 0 < received < len(CONTENT)
    assert store.find(DIGEST) is None

    fetch(server)
    assert server.range_headers == [None, f"bytes={received}-"]
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_a_download_interrupted_after_its_last_byte_is_not_sent_again(server: FlakyServer) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        downloads.fetch(f"{server.url}/file", DIGEST, interrupted, "file")
    fetch(server)
    assert server.range_headers == [None, f"bytes={len(CONTENT)}-"]  # answered by 416
    assert store.kept(DIGEST).read_bytes() == CONTENT


@pytest.mark.parametrize("etags", [True, False], ids=["etag", "no etag"])
def test_without_a_digest_only_a_known_version_is_resumed(server: FlakyServer, etags: bool) -> None:
    server.etags = etags
    server.script["/file"] = [Truncate(100_000)]
    found = downloads.fetch(f"{server.url}/file", None, partial(store.take, digest=None), "file")
    assert found == DIGEST
    assert store.kept(DIGEST).read_bytes() == CONTENT
    assert server.range_headers == [None, "bytes=100000-" if etags else None]


def test_a_server_without_ranges_starts_again(server: FlakyServer) -> None:
    server.ranges = False
    server.script["/file"] = [Truncate(100_000)]
    fetch(server)
    assert server.range_headers == [None, "bytes=100000-"]
    assert store.kept(DIGEST).read_bytes() == CONTENT


@pytest.mark.parametrize("etags", [True, False], ids=["etag", "no etag"])
def test_a_file_that_changed_meanwhile_starts_again(server: FlakyServer, etags: bool) -> None:
    server.etags = etags
    server.files["/file"] = bytes(len(CONTENT))
    server.script["/file"] = [Truncate(100_000), Replace(CONTENT)]
    fetch(server)
    assert store.kept(DIGEST).read_bytes() == CONTENT
    # With an ETag the server sends the new file at once, else the digest tells.
    assert server.range_headers == [None, "bytes=100000-"] + ([] if etags else [None])
    assert ("If-Range" in server.requests[1].headers) == etags


def test_a_file_that_became_shorter_starts_again(server: FlakyServer) -> None:
    server.etags = False
    server.files["/file"] = bytes(2 * len(CONTENT))
    server.script["/file"] = [Truncate(len(CONTENT) + 1), Replace(CONTENT)]
    fetch(server)
    assert server.range_headers == [None, f"bytes={len(CONTENT) + 1}-", None]
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_a_wrong_file_is_told_by_its_digest_and_removed(server: FlakyServer) -> None:
    server.files["/file"] = b"a page that asks you to log in"
    found = hashlib.sha256(b"a page that asks you to log in").hexdigest()
    with pytest.raises(store.WrongDigestError, match=f"sha256 is {found}, must be {DIGEST}"):
        fetch(server)
    assert len(server.requests) == 1
    assert parts() == []
    assert store.find(DIGEST) is None


def test_a_wrong_file_in_pieces_ends_too(server: FlakyServer) -> None:
    server.files["/file"] = bytes(len(CONTENT))
    server.script["/file"] = [Truncate(100_000), Truncate(100_000), Truncate(100_000), Truncate(9)]
    with pytest.raises(store.WrongDigestError):
        fetch(server)
    assert parts() == []


def test_parts_for_one_digest_do_not_serve_another(server: FlakyServer) -> None:
    server.script["/file"] = [Truncate(1000), Status(403)]
    with pytest.raises(SourceError):
        fetch(server)
    server.files["/file"] = b"another"
    fetch(server, digest=hashlib.sha256(b"another").hexdigest())
    assert server.range_headers == [None, "bytes=1000-", None]


@pytest.mark.parametrize("status", sorted(retries.STATUSES_THAT_MAY_PASS))
def test_a_status_that_may_pass_is_tried_again(server: FlakyServer, status: int) -> None:
    server.script["/file"] = [Status(status)]
    fetch(server)
    assert len(server.requests) == 2


def test_patience_ends(server: FlakyServer, waits_s: list[float]) -> None:
    server.script["/file"] = [Status(500)] * 99
    with pytest.raises(retries.TransferError, match=r"^500 Internal Server Error$"):
        fetch(server)
    assert len(server.requests) == retries.ATTEMPTS
    assert waits_s == [1.0, 2.0, 4.0, 8.0]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, retries.NotFoundError),
        (410, retries.NotFoundError),
        (403, retries.TransferError),
        (401, retries.TransferError),
    ],
)
def test_a_status_that_will_not_pass_is_final(
    server: FlakyServer, status: int, kind: type[SourceError]
) -> None:
    server.script["/file"] = [Status(status)]
    with pytest.raises(kind, match=f"^{status} "):
        fetch(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("retry_after", "wait_s"),
    [("7", 7.0), ("86400", retries.LONGEST_WAIT_S), ("soon", 1.0)],
    ids=["seconds", "too long", "nonsense"],
)
def test_the_server_says_how_long_to_wait(
    server: FlakyServer, waits_s: list[float], retry_after: str, wait_s: float
) -> None:
    server.script["/file"] = [Status(429, retry_after)]
    fetch(server)
    assert waits_s == [wait_s]


def test_the_server_says_until_when_to_wait(server: FlakyServer, waits_s: list[float]) -> None:
    past = email.utils.formatdate(time.time() - 3600, usegmt=True)
    server.script["/file"] = [Status(503, past)]
    fetch(server)
    assert waits_s == [0.0]


def test_a_host_that_does_not_listen_is_unreachable(waits_s: list[float]) -> None:
    with socket.socket() as bound:  # and not listening: the port is certain to be free
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/file"
        with pytest.raises(retries.UnreachableError, match=r"^Connection refused$"):
            downloads.fetch(url, DIGEST, lambda _: None, "file")
    assert waits_s == [1.0]


def test_a_host_that_does_not_answer_is_unreachable(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "READ_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(retries.UnreachableError, match="no answer in time"):
            downloads.fetch(url, DIGEST, lambda _: None, "file")


def test_a_host_that_is_not_found_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, waits_s: list[float]
) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(retries.UnreachableError, match=r"^host not found$"):
        downloads.fetch("https://host.invalid/file", DIGEST, lambda _: None, "file")
    assert waits_s == []


def test_a_url_that_is_none_is_told() -> None:
    with pytest.raises(retries.TransferError, match=r"URL.* is not valid"):
        downloads.fetch("http:///file", DIGEST, lambda _: None, "file")
