"""The stage on a tiny params.yaml: files with and without a published digest."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago.core.errors import ParamsError, SourceError
from imago.sources import retries
from stages import fetch_weights
from tests.flaky_server import FlakyServer, Truncate, serving

CONTENT = b"\x00\x01" * 5000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
PARAMS = """\
seed: 1
datasets: {{}}
prepare: {{}}
weights:
  net: {{files: {{net.h5: {digest}}}, sources: ["{source}"]}}
backbones: {{}}
features: {{}}
exports: {{}}
experiments: {{}}
"""
WRITTEN = Path("data/weights/net/net.h5")


@pytest.fixture
def server() -> Iterator[FlakyServer]:
    with serving() as server:
        server.files["/net.h5"] = CONTENT
        yield server


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("IMAGO_MIRROR", raising=False)
    monkeypatch.setattr(retries, "sleep", lambda _: None)
    monkeypatch.chdir(tmp_path)


def write_params(digest: str, source: str) -> None:
    Path("params.yaml").write_text(PARAMS.format(digest=digest, source=source))


@pytest.mark.parametrize("digest", [DIGEST, MD5, "unpublished"], ids=["sha256", "md5", "none"])
def test_a_download_that_breaks_off_is_resumed(server: FlakyServer, digest: str) -> None:
    server.script["/net.h5"] = [Truncate(600)]
    write_params(digest, f"{server.url}/{{name}}")
    fetch_weights.main("net")
    assert WRITTEN.read_bytes() == CONTENT
    assert server.range_headers == [None, "bytes=600-"]


@pytest.mark.parametrize("place", ["mirror/net", "mirror"])
def test_a_mirror_has_them_under_their_own_name(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    Path(place).mkdir(parents=True)
    Path(place, "net.h5").write_bytes(CONTENT)
    monkeypatch.setenv("IMAGO_MIRROR", "mirror")
    write_params("unpublished", "https://host.invalid/{name}")
    fetch_weights.main("net")
    assert WRITTEN.read_bytes() == CONTENT


def test_an_unpublished_digest_is_told(
    server: FlakyServer, caplog: pytest.LogCaptureFixture
) -> None:
    write_params("unpublished", f"{server.url}/{{name}}")
    with caplog.at_level("INFO", "imago"):
        fetch_weights.main("net")
    assert caplog.messages[-1] == (
        f"net.h5: sha256 is {DIGEST}; write it in place of unpublished under weights.net.files "
        "of params.yaml, and no other file will pass for this one"
    )


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
def test_a_published_digest_is_held_to(
    server: FlakyServer, caplog: pytest.LogCaptureFixture, digest: str
) -> None:
    write_params(digest, f"{server.url}/{{name}}")
    with caplog.at_level("INFO", "imago"):
        fetch_weights.main("net")
        fetch_weights.main("net")
    assert len(server.requests) == 1
    assert not any("in place of" in message for message in caplog.messages)


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
def test_other_weights_leave_nothing(server: FlakyServer, digest: str) -> None:
    server.files["/net.h5"] = b"other"
    write_params(digest, f"{server.url}/{{name}}")
    with pytest.raises(SourceError, match=r"under weights\.net\.sources of params\.yaml"):
        fetch_weights.main("net")
    assert not Path("data").exists()


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
def test_other_weights_in_the_mirror_are_passed_over(
    server: FlakyServer, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    Path("mirror").mkdir()
    Path("mirror/net.h5").write_bytes(b"of another year")
    monkeypatch.setenv("IMAGO_MIRROR", "mirror")
    write_params(digest, f"{server.url}/{{name}}")
    fetch_weights.main("net")
    assert WRITTEN.read_bytes() == CONTENT


def test_unknown_weights_list_the_known_ones() -> None:
    write_params(DIGEST, "own")
    with pytest.raises(ParamsError, match=r"unknown weights 'nets'; params\.yaml has net"):
        fetch_weights.main("nets")
