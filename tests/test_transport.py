"""Servers that lie, drip and never end: the right bytes or one clear reason, within bounds."""

import gzip
import hashlib
import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from imago.core import sections
from imago.core.errors import SourceError
from imago.core.sections import Limits
from imago.sources import downloads, pip_packages, retries, store, transport
from tests import rude_server
from tests.rude_server import Answer, RudeServer

pytestmark = pytest.mark.fault

CONTENT = bytes(range(256)) * 400
DIGEST = hashlib.sha256(CONTENT).hexdigest()
LENGTH = len(CONTENT)
MIB = 2**20
MANY = "9" * 5000


@pytest.fixture
def server() -> Iterator[RudeServer]:
    with rude_server.serving() as server:
        server.answers["/right"] = answer(f"Content-Length: {LENGTH}")
        yield server


@pytest.fixture(autouse=True)
def in_an_empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work where nothing is, without waiting between attempts."""
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    monkeypatch.setattr(downloads, "READ_TIMEOUT_S", 2.0)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def seconds_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a second pass with each look at the clock, which comes with each piece."""
    clock = SimpleNamespace(monotonic=itertools.count(1).__next__)
    monkeypatch.setattr(transport, "time", clock)
    monkeypatch.setattr(sections, "time", clock)


def answer(*headers: str, status: str = "200 OK", body: bytes = CONTENT) -> Answer:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, ""))
    return lambda _: iter([head.encode("latin-1"), body])


def endless(*headers: str, status: str = "200 OK", piece: bytes = bytes(2**16)) -> Answer:
    head = next(answer(*headers, status=status)(0))
    return lambda _: itertools.chain([head], itertools.repeat(piece))


def dripping(content: bytes) -> Answer:
    def drip(_: int) -> Iterator[bytes]:
        for byte in content:
            yield bytes([byte])
            time.sleep(0.001)

    return drip


def ranged(said: str) -> Answer:
    """Break off, and say of what is left that it is another part of the file."""

    def pieces(first: int) -> Iterator[bytes]:
        if not first:
            return answer(f"Content-Length: {LENGTH}", body=CONTENT[:70_000])(0)
        headers = f"Content-Range: {said}", f"Content-Length: {LENGTH - first}"
        return answer(*headers, status="206 Partial Content", body=CONTENT[first:])(first)

    return pieces


def fetch(server: RudeServer, path: str, limits: Limits = sections.DEFAULT_LIMITS) -> None:
    accept = partial(store.take, digest=DIGEST, limits=limits)
    downloads.fetch(server.url + path, DIGEST, accept, "file", limits=limits)


def kept_bytes() -> int:
    return sum(path.stat().st_size for path in Path(".imago").rglob("*") if path.is_file())


BOMB = gzip.compress(bytes(70 * MIB), compresslevel=1)

GOOD: dict[str, Answer] = {
    "no length": answer(),
    "length of 5,000 digits": answer(f"Content-Length: {MANY}"),
    "length that is no number": answer("Content-Length: abc"),
    "negative length": answer("Content-Length: -5"),
    "labelled as gzip": answer("Content-Encoding: gzip", f"Content-Length: {LENGTH}"),
    "more than it says": answer(f"Content-Length: {LENGTH}", body=CONTENT + b"more"),
    "redirect": answer("Location: /right", status="302 Found"),
    "redirect without end of body": endless("Location: /right", status="302 Found"),
    "redirect with a long body": endless(
        "Location: /right", f"Content-Length: {10**12}", status="301 Moved"
    ),
    "redirect with a chunked body": endless(
        "Location: /right",
        "Transfer-Encoding: chunked",
        status="307 Temporary Redirect",
        piece=b"4000\r\n" + bytes(0x4000) + b"\r\n",
    ),
    "redirect with a bomb": answer(
        "Location: /right", "Content-Encoding: gzip", status="302 Found", body=BOMB
    ),
    "part that was not asked for": answer(
        f"Content-Range: bytes 0-{LENGTH - 1}/{MANY}", status="206 Partial Content"
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_the_right_bytes_come_all_the_same(server: RudeServer, name: str) -> None:
    server.answers["/file"] = GOOD[name]
    fetch(server, "/file")
    assert store.kept(DIGEST).read_bytes() == CONTENT
    assert kept_bytes() == LENGTH
    assert server.sent_bytes < 16 * MIB


BAD: dict[str, tuple[Answer, str]] = {
    "nothing": (lambda _: iter([]), "closed connection without response"),
    "no http": (answer(status="\0\1"), "does not answer as http asks"),
    "too many headers": (answer(*["X-A: b"] * 5000), "got more than 100 headers"),
    "a header too long": (answer("X-A: " + "b" * 200_000), "got more than 65536 bytes"),
    "first answers without end": (
        endless(status="100 Continue", piece=b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 99),
        "sends more than 1,048,576 bytes",
    ),
    "wrong chunks": (answer("Transfer-Encoding: chunked"), "the transfer broke off"),
    "a chunk without end": (
        answer("Transfer-Encoding: chunked", body=b"f" * 70_000),
        "the transfer broke off",
    ),
    "two lengths": (
        answer(f"Content-Length: {LENGTH}", "Content-Length: 7"),
        "does not answer as http asks",
    ),
    "other bytes": (answer(body=b"other"), "sha256 is "),
    "fewer bytes than it says": (
        answer(f"Content-Length: {LENGTH}", body=CONTENT[:99]),
        "the transfer broke off",
    ),
    "bytes without end": (endless(), "must have at most 1,000,000 bytes, got 1,0.* or more"),
    "a length without end": (
        endless(f"Content-Length: {10**15}"),
        "must have at most 1,000,000 bytes, got 1,000,000,000,000,000 or more",
    ),
    "small chunks without end": (
        endless("Transfer-Encoding: chunked", piece=b"1\r\nx\r\n" * 5000),
        "sends more than 3,048,576 bytes",
    ),
    "an error without end": (endless(status="404 Not Found"), "^404 Not Found$"),
    "an error with a long reason": (answer(status="403 " + "x" * 60_000), "^403 x{1,100}$"),
    "an error with an escape": (answer(status="403 \x1b[31mred"), r"^403 \?\[31mred$"),
    "a redirect to itself": (
        answer("Location: /file", status="302 Found"),
        "redirects without end",
    ),
    "a redirect to a file": (
        answer("Location: file:///etc/passwd", status="302 Found"),
        "redirects to what is neither http nor https",
    ),
    "a redirect to nonsense": (
        answer("Location: http://user:s3cret@[x/", status="302 Found"),
        "the URL, or that of a redirect or proxy, is not valid",
    ),
    "a redirect to a bad port": (
        answer("Location: http://user:s3cret@h:abc/", status="302 Found"),
        "the URL, or that of a redirect or proxy, is not valid",
    ),
    "a wait without end": (
        answer(f"Retry-After: {MANY}", "Content-Length: 0", status="503 Busy", body=b""),
        "^503 Busy$",
    ),
    "a wait until never": (
        answer("Retry-After: Fri, 99 Foo 99999 99:99:99 GMT", status="503 Busy"),
        "^503 Busy$",
    ),
    "another part": (ranged(f"bytes 7-{LENGTH - 1}/{LENGTH}"), "the transfer broke off"),
    "a part of 5,000 digits": (ranged(f"bytes {MANY}-{MANY}/{MANY}"), "the transfer broke off"),
    "a gzip bomb": (answer(body=BOMB), "unpacks to more than 67,108,864 bytes, which limits"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_reason_in_one_line(server: RudeServer, name: str) -> None:
    server.answers["/file"], message = BAD[name]
    with pytest.raises(SourceError, match=message) as caught:
        fetch(server, "/file", Limits(download_gb=0.001))
    (line,) = str(caught.value).splitlines()
    assert len(line) < 300
    assert "s3cret" not in line
    assert kept_bytes() < 1_100_000
    assert server.sent_bytes < 64 * MIB


def test_a_body_that_drips_is_left(server: RudeServer, seconds_pass: None) -> None:
    server.answers["/file"] = dripping(b"".join(answer()(0))[:2000])
    with pytest.raises(retries.UnreachableError, match=r"bytes per second, must be 1,000 or more"):
        fetch(server, "/file")
    assert len(server.asked) == retries.ATTEMPTS_UNREACHABLE


def test_headers_that_drip_are_left(server: RudeServer, seconds_pass: None) -> None:
    server.answers["/file"] = dripping(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 2000)
    with pytest.raises(retries.UnreachableError, match=r"bytes per second, must be 1,000 or more"):
        fetch(server, "/file")


def test_the_least_rate_may_be_none(server: RudeServer, seconds_pass: None) -> None:
    body = gzip.compress(CONTENT, mtime=0)
    server.answers["/file"] = dripping(b"".join(answer(body=body)(0)))
    fetch(server, "/file", Limits(download_bytes_per_s=0))
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_a_body_that_takes_too_long_is_left_and_kept(
    server: RudeServer, seconds_pass: None
) -> None:
    server.answers["/file"] = endless(f"Content-Length: {10**9}", piece=bytes(5000))
    with pytest.raises(retries.EndlessError, match=r"longer than limits\.download_hours of params"):
        fetch(server, "/file", Limits(download_hours=0.01))
    assert len(server.asked) == 1
    assert kept_bytes() > 0  # the next run resumes it


@pytest.mark.parametrize("encoding", [(), ("Content-Encoding: gzip",)], ids=["plain", "gzip"])
def test_an_index_without_end(
    server: RudeServer, monkeypatch: pytest.MonkeyPatch, encoding: tuple[str, ...]
) -> None:
    monkeypatch.setattr(pip_packages, "PAGE_BYTES", MIB)
    monkeypatch.setattr(
        pip_packages, "pip_settings", lambda: {"index-url": f"{server.url}/simple/"}
    )
    server.answers["/simple/digits/"] = endless(*encoding)
    with pytest.raises(SourceError, match=r"sends more than 1,048,576 bytes"):
        pip_packages.keep("digits", "1", [DIGEST])
    assert server.sent_bytes < 16 * MIB
