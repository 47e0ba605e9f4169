"""Archives built to do harm: each is refused in one line, or is taken for what it is.

What they are built of is small; what they would unpack to, or loop over, is not.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imago.core import tars
from imago.core.errors import ImagoError
from imago.datasets.cifar import layout as cifar
from imago.datasets.cifar.settings import Settings as CifarSettings
from imago.datasets.image_folder import archives
from imago.sources import packages

pytestmark = pytest.mark.fault

MIB = 2**20
GREATEST_BYTES = 128 * MIB
"""Of memory, for any of them."""
WANTED = b"the wanted file " * 40
DIGEST = hashlib.sha256(WANTED).hexdigest()
PHOTOS = {"cat/1.jpg": b"a cat " * 50, "dog/1.jpg": b"a dog " * 50}

Build = Callable[[], bytes]


def zipped(
    contents: dict[str, bytes], edit: Any = None, method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Pack a zip; `edit` then makes its directory lie."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        if edit:
            edit(archive.filelist)
    return file.getvalue()


def lying(index: int = 1, **attributes: Any) -> bytes:
    def edit(members: list[zipfile.ZipInfo]) -> None:
        for name, value in attributes.items():
            setattr(members[index], name, value)

    return zipped(PHOTOS, edit)


def of_kind(mode: int) -> bytes:
    return lying(external_attr=(mode | 0o644) << 16)


def moved(members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        member.header_offset = 0


def swallowing(members: list[zipfile.ZipInfo]) -> None:
    for member in members[:-1]:
        member.compress_size += 30


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite bytes behind the last place where a record begins."""
    place = content.rindex(signature) + offset
    return content[:place] + value + content[place + len(value) :]


def end_record(offset: int, value: bytes) -> bytes:
    return patched(zipped(PHOTOS), b"PK\5\6", offset, value)


def entry(offset: int, value: bytes) -> bytes:
    return patched(zipped(PHOTOS), b"PK\1\2", offset, value)


def local(offset: int, value: bytes) -> bytes:
    return patched(zipped(PHOTOS), b"PK\3\4", offset, value)


def zip64(**sizes: int) -> bytes:
    """Say sizes in an extra field of 64-bit numbers."""
    numbers = [sizes[name] for name in ("unpacked", "packed", "place") if name in sizes]
    extra = struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
    places = {"unpacked": 24, "packed": 20, "place": 42}
    content = zipped(PHOTOS)
    for name in sizes:
        content = patched(content, b"PK\1\2", places[name], b"\xff" * 4)
    content = patched(content, b"PK\1\2", 30, struct.pack("<H", len(extra)))
    where = content.rindex(b"PK\5\6")
    content = content[:where] + extra + content[where:]
    size = struct.unpack_from("<L", content, content.rindex(b"PK\5\6") + 12)[0]
    return patched(content, b"PK\5\6", 12, struct.pack("<L", size + len(extra)))


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


INNER = zipped({"b": bytes(9 * MIB)})  # once, for it holds the time
ZIPS: dict[str, tuple[Build, dict[str, bytes] | None]] = {
    "path up": (partial(lying, filename="../1.jpg"), None),
    "path from the root": (partial(lying, filename="/etc/x.jpg"), None),
    "path on a drive": (partial(lying, filename="C:/x.jpg"), None),
    "path on a share": (partial(lying, filename="\\\\host\\x.jpg"), None),
    "zero in a name": (partial(lying, filename="cat/1\0.jpg"), None),
    "line in a name": (partial(lying, filename="cat/1\n.jpg"), None),
    "no name": (partial(lying, filename=""), None),
    "long name": (partial(zipped, {"a" * 60_000 + ".jpg": b"x"}), None),
    "deep names": (partial(zipped, {f"{n}/" + "a/" * 30_000: b"" for n in range(20)}), None),
    "deep name": (partial(zipped, {"a/" * 40 + "1.jpg": b"x"}), None),
    "name that is no UTF-8": (
        lambda: zipped({"ö.jpg": b"x"}).replace("ö".encode(), b"\xff\xff"),
        None,
    ),
    "one name twice": (partial(lying, filename="cat/1.jpg"), None),
    "names that differ by case": (partial(lying, filename="CAT/1.JPG"), None),
    "file and folder": (partial(zipped, {"cat": b"x", "cat/1.jpg": b"x"}), None),
    "symbolic link": (partial(of_kind, stat.S_IFLNK), None),
    "device": (partial(of_kind, stat.S_IFCHR), None),
    "block device": (partial(of_kind, stat.S_IFBLK), None),
    "pipe": (partial(of_kind, stat.S_IFIFO), None),
    "socket": (partial(of_kind, stat.S_IFSOCK), None),
    "encrypted": (partial(lying, flag_bits=0x1), None),
    "unknown compression": (partial(lying, compress_type=99), None),
    "deflate64": (partial(lying, compress_type=9), None),
    "LZMA": (partial(zipped, PHOTOS, None, zipfile.ZIP_LZMA), None),
    "bzip2": (partial(zipped, PHOTOS, None, zipfile.ZIP_BZIP2), None),
    "bomb": (partial(zipped, {"a.bmp": bytes(70 * MIB)}), None),
    "many small bombs": (partial(zipped, {f"{n}.bmp": bytes(MIB) for n in range(70)}), None),
    "zip in a zip": (partial(zipped, {"a.zip": INNER}), {"a.zip": INNER}),
    "one content for all": (
        partial(zipped, {f"{n}.bmp": bytes(MIB) for n in range(9)}, moved),
        None,
    ),
    "contents in each other": (
        partial(zipped, {f"{n}.bmp": bytes(MIB) for n in range(9)}, swallowing),
        None,
    ),
    "more than it says": (partial(lying, file_size=10), None),
    "less than it says": (partial(lying, file_size=10_000), None),
    "much less than it says": (partial(lying, file_size=2**31), None),
    "packed more than it says": (partial(lying, compress_size=3), None),
    "packed less than it says": (partial(lying, index=0, compress_size=5_000), None),
    "wrong checksum": (partial(lying, CRC=1), None),
    "stored at another size": (partial(lying, compress_type=0), None),
    "64-bit sizes without end": (partial(zip64, unpacked=2**63 + 5, packed=2**63), None),
    "64-bit place without end": (partial(zip64, place=2**63 + 1), None),
    "64-bit sizes that fit": (
        lambda: zip64(unpacked=300, packed=len(zlib.compress(PHOTOS["dog/1.jpg"])) - 6),
        PHOTOS,
    ),
    "64-bit field cut short": (partial(entry, 24, b"\xff" * 4), None),
    "on other disks": (partial(end_record, 4, b"\7\0\7\0"), PHOTOS),
    "65,535 members said": (partial(end_record, 8, b"\xff\xff\xff\xff"), PHOTOS),
    "directory larger than the file": (partial(end_record, 12, b"\xff\xff\xff\x7f"), None),
    "directory behind the end": (partial(end_record, 16, b"\xff\xff\xff\x7f"), None),
    "directory within the data": (partial(end_record, 16, b"\3\0\0\0"), None),
    "comment longer than it is": (partial(end_record, 20, b"\xff\xff"), PHOTOS),
    "version of the future": (partial(entry, 6, b"\xff\0"), None),
    "place of another": (partial(entry, 42, b"\1\0\0\0"), None),
    "other name at the data": (partial(local, 30, b"cow"), None),
    "extra field over all that follows": (partial(local, 28, b"\xff\xff"), None),
    "encrypted at the data alone": (partial(local, 6, b"\1\0"), PHOTOS),
    "bytes in front": (lambda: b"#!/bin/sh\n" * 99 + zipped(PHOTOS), PHOTOS),
    "another, empty zip behind": (lambda: zipped(PHOTOS) + b"PK\5\6" + bytes(30), {}),
    "nothing": (lambda: b"", None),
    "no members": (partial(zipped, {}), {}),
    "end record alone, many members": (
        lambda: struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 414, 0, 0),
        None,
    ),
    "noise": (lambda: random.Random(1).randbytes(10_000), None),
    **{
        f"cut at {share}": (lambda share=share: cut(zipped(PHOTOS), share), None)
        for share in (0.05, 0.3, 0.6, 0.9, 0.99)
    },
}


@pytest.fixture(autouse=True)
def bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    if tracemalloc.is_tracing():
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < GREATEST_BYTES


def outcome(take: Callable[[], Any]) -> Any:
    """Return what was taken, or None where it was refused in one line of a bearable length."""
    tracemalloc.start()
    try:
        return take()
    except ImagoError as error:
        (line,) = str(error).splitlines()
        assert len(line) < 1000
        return None


@pytest.mark.parametrize("name", ZIPS)
def test_a_zip_of_photos(name: str) -> None:
    build, wanted = ZIPS[name]
    path = Path("photos.zip")
    path.write_bytes(build())

    def take() -> dict[str, bytes]:
        with archives.opened(path) as archive:
            return {name: archive.read(name) for name in archive.files}

    assert outcome(take) == wanted


def tarred(*members: tuple[bytes, bytes], wanted: bool = True) -> bytes:
    """Pack blocks as they are, then the wanted file."""
    blocks = b"".join(
        header + content + bytes(-len(content) % tarfile.BLOCKSIZE) for header, content in members
    )
    return (
        blocks + (b"".join(member("wanted", WANTED)) + bytes(384) if wanted else b"") + bytes(1024)
    )


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **more: Any) -> Any:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(content), kind
    for key, value in more.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT), content


def sparse() -> tuple[bytes, bytes]:
    """A file of one byte and a hole of a terabyte."""
    header = bytearray(member("sparse", b"x", tarfile.GNUTYPE_SPARSE)[0])
    header[386:398] = b"%011o\0" % (2**33 - 2)
    header[398:410] = b"%011o\0" % 1
    header[483:495] = b"%011o\0" % (2**33 - 1)
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
    return bytes(header), b"x"


def endless_headers(count: int) -> bytes:
    return member("empty")[0] * count


def twice_gzipped() -> bytes:
    """Pack 100 MiB in some hundred bytes, by two layers."""
    return gzip.compress(gzip.compress(bytes(100 * MIB)))


TARS: dict[str, tuple[Build, bool]] = {
    "path up": (lambda: tarred(member("../../x", b"x")), True),
    "path from the root": (lambda: tarred(member("/etc/passwd", b"x")), True),
    "symbolic link": (
        lambda: tarred(member("l", kind=tarfile.SYMTYPE, linkname="/dev/zero")),
        True,
    ),
    "hard link": (lambda: tarred(member("l", kind=tarfile.LNKTYPE, linkname="/etc/passwd")), True),
    "device": (lambda: tarred(member("zero", kind=tarfile.CHRTYPE, devmajor=1)), True),
    "pipe": (lambda: tarred(member("pipe", kind=tarfile.FIFOTYPE)), True),
    "unknown kind": (lambda: tarred(member("what", b"x", b"Q")), True),
    "one name twice": (lambda: tarred(member("wanted", b"another")), True),
    "hole": (lambda: tarred(sparse()), True),
    "long header": (lambda: tarred(member("x", b"a" * 40 * MIB, tarfile.XHDTYPE)), True),
    "long header for all": (lambda: tarred(member("x", b"9" * 40 * MIB, tarfile.XGLTYPE)), True),
    "long name": (lambda: tarred(member("x", b"n" * 40 * MIB, tarfile.GNUTYPE_LONGNAME)), True),
    "headers of headers": (
        lambda: tarred(*[member("x", b"9 a=bcd\n", tarfile.XHDTYPE)] * 5_000),
        True,
    ),
    "headers without end": (lambda: endless_headers(140_000), False),
    "bomb": (lambda: tarred(member("zeros", bytes(70 * MIB))), False),
    "gzip bomb within": (lambda: tarred(member("a.gz", gzip.compress(bytes(70 * MIB)))), False),
    "gzip in a gzip": (lambda: tarred(member("a.gz", twice_gzipped())), True),
    "gzip that is damaged": (lambda: tarred(member("a.gz", b"\x1f\x8b" + bytes(50))), True),
    "wanted in a gzip": (
        lambda: tarred(member("a.gz", gzip.compress(WANTED)), wanted=False),
        True,
    ),
    "larger than all": (lambda: tarred((member("x", size=2**32)[0], b"x")), False),
    "64-bit size": (lambda: tarred((member("x", size=2**70)[0], b"x")), False),
    "negative size": (lambda: tarred((member("x", size=-1)[0], b"x")), False),
    "wrong checksum": (lambda: tarred((b"y" + member("x", b"x")[0][1:], b"x")), False),
    "noise": (lambda: random.Random(2).randbytes(4096), False),
    "cut in a header": (lambda: tarred()[:300], False),
    "cut in a file": (lambda: tarred()[:900], False),
    "zeros": (lambda: bytes(10240), False),
    "bytes behind": (lambda: tarred() + b"behind" * 999, True),
}


def found(content: bytes) -> bool | None:
    path = Path("package")
    path.write_bytes(content)
    kept = outcome(lambda: packages.keep_members(path, [DIGEST]))
    return bool(kept)


@pytest.mark.parametrize("name", TARS)
def test_a_tar_of_a_package(name: str) -> None:
    build, wanted = TARS[name]
    assert found(gzip.compress(build(), 6)) is wanted


PACKAGES: dict[str, Build] = {
    "gzip cut short": lambda: gzip.compress(tarred())[:60],
    "gzip of another length": lambda: gzip.compress(tarred())[:-4] + b"\0\0\0\7",
    "gzip with an odd header": lambda: b"\x1f\x8b\x08\x1c" + bytes(40),
    "gzip of a gzip": lambda: gzip.compress(gzip.compress(tarred())),
    "bzip2, which no package has": lambda: bz2.compress(tarred()),
    "xz, whose memory the sender chooses": lambda: lzma.compress(tarred()),
    "LZMA in a wheel": lambda: zipped({"wanted": WANTED}, method=zipfile.ZIP_LZMA),
    "wheel that is encrypted": lambda: lying(flag_bits=1),
    "wheel of many small bombs": lambda: zipped(
        {f"{n}": bytes(MIB) for n in range(70)} | {"wanted": WANTED}
    ),
    "wheel with one content for all": lambda: zipped(
        {"wanted": WANTED} | {f"{n}": bytes(9 * MIB) for n in range(9)}, moved
    ),
    "wheel with a place without end": lambda: zip64(place=2**63 + 1),
    "wheel that says too much": lambda: lying(file_size=2**31),
    "wheel with a wrong checksum": lambda: lying(CRC=1),
    "wheel with a member without a name": lambda: lying(filename=""),
    "wheel without its beginning": lambda: zipped(PHOTOS)[70:],
    "wheel with an extra field over all": lambda: local(28, b"\xff\xff"),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_that_is_refused(name: str) -> None:
    assert found(PACKAGES[name]()) is False


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (endless_headers(5), "it has more than 4 members"),
        (member("x", size=2**32)[0], "'x' must have 0 to 99,488 bytes, got 4,294,967,296"),
    ],
    ids=["members", "bytes"],
)
def test_a_tar_is_bounded(blocks: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MEMBERS", 4)
    with pytest.raises(tarfile.HeaderError, match=message):
        list(tars.regular_files(io.BytesIO(blocks), 100_000))


def cifar_settings() -> CifarSettings:
    names = {"archive": "a.tar.gz", "train": ["batch_1"], "test": ["batch_2"], "meta": "meta"}
    return CifarSettings.model_validate(
        {
            "layout": "cifar",
            "licence": "none",
            "files": {"a.tar.gz": "0" * 64},
            "sources": ["x"],
            "extract": {**names, "labels": "labels", "names": "names"},
        }
    )


BATCHES: dict[str, Build] = {
    "many lists": lambda: tarred(member("batch_1", b"]" * 50_000 + b".")),
    "a list in itself": lambda: tarred(member("batch_1", b"]q\0" + b"h\0a" * 30_000 + b".")),
    "a text longer than the file": lambda: tarred(member("batch_1", b"X\xff\xff\xff\x7fabc.")),
    "a long number": lambda: tarred(member("batch_1", b"\x8a\xff" + b"9" * 255 + b".")),
    "a number of 5,000 digits": lambda: tarred(member("batch_1", b"I" + b"9" * 5000 + b"\n.")),
    "a call": lambda: tarred(member("batch_1", b"cos\nsystem\n(S'x'\ntR.")),
    "a long header": lambda: tarred(member("x", b"9" * 40 * MIB, tarfile.XHDTYPE)),
    "headers without end": lambda: endless_headers(10_001),
    "a batch that is too large": lambda: tarred((member("batch_1", size=2**29)[0], b"")),
}


@pytest.mark.parametrize("name", BATCHES)
def test_an_archive_of_cifar(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MEMBERS", 10_000)
    Path("a.tar.gz").write_bytes(gzip.compress(BATCHES[name](), 6))
    assert outcome(lambda: cifar.read(cifar_settings(), Path())) is None
