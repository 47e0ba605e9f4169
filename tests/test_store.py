import gzip
import hashlib
from pathlib import Path

import pytest

from imago.sources import store

CONTENT = b"what is wanted" * 100
DIGEST = hashlib.sha256(CONTENT).hexdigest()
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture(autouse=True)
def _empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def write(content: bytes) -> Path:
    path = Path("given")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
@pytest.mark.parametrize("given", [CONTENT, gzip.compress(CONTENT)], ids=["as it is", "in a gzip"])
def test_the_right_content_gets_in(given: bytes, digest: str) -> None:
    path = write(given)
    assert store.admit(store.opener(path), digest) == digest
    assert store.find(digest) == store.kept(digest)
    assert store.kept(digest).read_bytes() == CONTENT
    assert path.read_bytes() == given


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (b"wrong", b"wrong"),
        (gzip.compress(b"wrong"), b"wrong"),
        (gzip.compress(CONTENT)[:-9], gzip.compress(CONTENT)[:-9]),
        (b"\x1f\x8b no gzip", b"\x1f\x8b no gzip"),
        (b"", b""),
    ],
    ids=["plain", "in a gzip", "cut off", "seeming gzip", "empty"],
)
def test_other_content_is_told_by_its_digest(given: bytes, found: bytes) -> None:
    digest = hashlib.sha256(found).hexdigest()
    with pytest.raises(store.WrongDigestError, match=f"^sha256 is {digest}, must be {DIGEST}$"):
        store.admit(store.opener(write(given)), DIGEST)
    assert store.find(DIGEST) is None


def test_other_content_is_told_by_its_md5_where_that_is_wanted() -> None:
    found, wanted = hashlib.md5(b"wrong").hexdigest(), MD5.removeprefix("md5:")
    with pytest.raises(store.WrongDigestError, match=f"^MD5 is {found}, must be {wanted}$"):
        store.take(write(b"wrong"), MD5)
    assert store.find(MD5) is None


@pytest.mark.parametrize("given", [CONTENT, gzip.compress(CONTENT)], ids=["as it is", "in a gzip"])
@pytest.mark.parametrize("admit", ["admit", "take"])
def test_without_a_digest_what_is_there_gets_in(admit: str, given: bytes) -> None:
    path = write(given)
    found = store.take(path, None) if admit == "take" else store.admit(store.opener(path), None)
    assert found == DIGEST
    assert store.kept(DIGEST).read_bytes() == CONTENT


def test_without_a_digest_a_damaged_gzip_stays_out() -> None:
    path = write(gzip.compress(CONTENT)[:-9])
    with pytest.raises(store.DamagedError, match=r"^is a damaged gzip: "):
        store.admit(store.opener(path), None)
    assert not any(path.is_file() for path in Path(".imago").rglob("*"))


@pytest.mark.parametrize("digest", [DIGEST, MD5], ids=["sha256", "md5"])
def test_a_damaged_file_is_removed(digest: str) -> None:
    store.admit(store.opener(write(CONTENT)), digest)
    store.kept(digest).write_bytes(b"damaged")
    assert store.find(digest) is None
    assert not store.kept(digest).exists()


def test_content_that_changes_while_it_is_copied_stays_out() -> None:
    with pytest.raises(store.WrongDigestError, match="changed while it was read"):
        store.keep(store.opener(write(b"no longer the one")), DIGEST)
    assert not any(path.is_file() for path in Path(".imago").rglob("*"))


def test_a_placed_file_has_the_same_bytes_without_hard_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    store.admit(store.opener(write(CONTENT)), DIGEST)
    store.place(DIGEST, Path("linked"))
    monkeypatch.setattr("os.link", unsupported)
    store.place(DIGEST, Path("copied"))
    assert Path("linked").read_bytes() == Path("copied").read_bytes() == CONTENT
