import gc
import os
import random
import re
import stat
import struct
import tracemalloc
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from imago.core import sections
from imago.core.errors import DataError
from imago.datasets.image_folder import archives
from imago.datasets.image_folder.archive import GENEROUS, Limits, tidied

TEXT = b"a photo, say " * 20


def pack(path, contents, edit=None):
    """Write a zip of {name: bytes}; `edit` may then make its directory lie."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        if edit:
            edit(archive.filelist)  # written when the archive is closed
    return path


def contents_of(path, limits=GENEROUS):
    with archives.opened(path, limits) as archive:
        return {name: archive.read(name) for name in archive.files}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "pets.zip"


def test_files_come_sorted_and_without_folders(path):
    pack(path, {"pets/": b"", "pets/dog/2.jpg": b"two", "pets/cat/1.jpg": TEXT, "a.txt": b""})

    assert list(contents_of(path).items()) == [
        ("a.txt", b""),
        ("pets/cat/1.jpg", TEXT),
        ("pets/dog/2.jpg", b"two"),
    ]


def test_empty_zip(path):
    assert contents_of(pack(path, {})) == {}


@pytest.mark.parametrize(
    "name",
    ["./cat/1.jpg", "cat//1.jpg", "Катя/ö ü.jpg", "cat/..jpg", "cat/a...b/x", "readme[1].txt"],
)
def test_unusual_names_that_do_no_harm(path, name):
    assert contents_of(pack(path, {name: TEXT})) == {tidied(name): TEXT}


def test_one_name_in_two_folders(path):
    contents = {"cat/1.jpg": b"cat", "dog/1.jpg": b"dog", "1.jpg": b"neither", "cat/": b""}

    assert len(contents_of(pack(path, contents))) == 3


def test_zip64(path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 5)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    contents = {"cat/1.jpg": TEXT, "cat/2.jpg": TEXT[:100]}
    pack(path, contents)
    monkeypatch.undo()

    assert b"PK\x06\x06" in path.read_bytes()  # the zip64 end record
    assert contents_of(path) == contents


def test_bytes_before_and_comment_behind(path):
    pack(path, {"cat/1.jpg": TEXT})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"from my phone"
    path.write_bytes(b"#!/bin/sh unpacks itself\n" + path.read_bytes())

    assert contents_of(path) == {"cat/1.jpg": TEXT}


def test_many_threads_may_read(path):
    contents = {f"{number}.jpg": bytes([number]) * 5000 for number in range(100)}
    pack(path, contents)

    with archives.opened(path) as archive, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(archive.read, archive.files))

    assert found == [contents[name] for name in archive.files]


def set_all(**attributes):
    def edit(members):
        for name, value in attributes.items():
            setattr(members[-1], name, value)

    return edit


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("/etc/passwd", "path must be relative; pack the folder anew", id="root"),
        pytest.param("C:/boot.ini", "path must be relative; pack the folder anew", id="drive"),
        pytest.param("C:\\boot.ini", "path must be relative; pack the folder anew", id="Windows"),
        pytest.param("c:boot.ini", "path must be relative; pack the folder anew", id="drive alone"),
        pytest.param("\\boot.ini", "path must be relative; pack the folder anew", id="backslash"),
        pytest.param(
            "\\\\host\\share\\a", "path must be relative; pack the folder anew", id="share"
        ),
        pytest.param("../a.jpg", "path must stay within the archive and have no ..; pack", id="up"),
        pytest.param("cat/../../a", "path must stay within the archive", id="up within"),
        pytest.param("cat/..", "path must stay within the archive", id="up at the end"),
        pytest.param("..\\a.jpg", "path must stay within the archive", id="up on Windows"),
        pytest.param("cat\\1.jpg", "path must have / as its separator, got \\", id="separator"),
        pytest.param("", "must have a name, got none", id="empty"),
        pytest.param(".", "must have a name, got none", id="dot"),
        pytest.param("cat/1\0.jpg", "name must have no control characters; rename", id="zero"),
        pytest.param("cat/1\n.jpg", "name must have no control characters", id="newline"),
        pytest.param("cat/1\x85.jpg", "name must have no control characters", id="C1"),
    ],
)
def test_faulty_name(path, name, message):
    pack(path, {"cat/0.jpg": TEXT, "x": TEXT}, set_all(filename=name))

    with pytest.raises(DataError, match=re.escape(message)) as caught:
        contents_of(path)
    shown = name if name.isprintable() else repr(name)
    assert str(caught.value).startswith(f"{path}: {shown}: ")
    assert "\n" not in str(caught.value)


def kind(mode):
    return {"external_attr": (mode | 0o644) << 16}


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        pytest.param(kind(stat.S_IFLNK), "must be a file or a folder, got a symbolic", id="link"),
        pytest.param(kind(stat.S_IFCHR), "got a character device; leave it out", id="char"),
        pytest.param(kind(stat.S_IFBLK), "got a block device", id="block"),
        pytest.param(kind(stat.S_IFIFO), "got a named pipe", id="pipe"),
        pytest.param(kind(stat.S_IFSOCK), "got a socket", id="socket"),
        pytest.param({"flag_bits": 0x1}, "must not be encrypted; pack the folder", id="encrypted"),
        pytest.param({"flag_bits": 0x41}, "must not be encrypted", id="strongly encrypted"),
        pytest.param({"flag_bits": 0x20}, "must be stored or deflated", id="patch"),
        pytest.param({"compress_type": 14}, "got compression method 14", id="LZMA"),
        pytest.param({"compress_type": 9}, "got compression method 9", id="deflate64"),
        pytest.param(
            {"compress_type": 0},
            "must be 18 bytes long as it is stored, got 260; get the zip anew",
            id="stored at another size",
        ),
        pytest.param(
            {"file_size": 2**30 + 1},
            "must unpack to at most 1,073,741,824 bytes, got 1,073,741,825; leave it out",
            id="large",
        ),
        pytest.param(
            {"file_size": 2**20 + 1},
            "must unpack to at most 200 times its 18 bytes, got 1,048,577; leave it out",
            id="ratio",
        ),
    ],
)
def test_faulty_content(path, attributes, message):
    pack(path, {"cat/0.jpg": TEXT, "cat/1.jpg": TEXT}, set_all(**attributes))

    with pytest.raises(DataError, match=re.escape(message)) as caught:
        contents_of(path)
    assert str(caught.value).startswith(f"{path}: cat/1.jpg: ")


def test_regular_files_of_unix(path):
    pack(path, {"cat/1.jpg": TEXT}, set_all(**kind(stat.S_IFREG)))

    assert contents_of(path) == {"cat/1.jpg": TEXT}


def test_bomb_is_found_by_its_ratio(path):
    pack(path, {"cat/1.jpg": bytes(3 * 2**20)})

    with pytest.raises(DataError, match=r"must unpack to at most 200 times its 3,0\d\d bytes"):
        contents_of(path)


def test_small_members_may_have_any_ratio(path):
    assert contents_of(pack(path, {"blank.bmp": bytes(2**20)})) == {"blank.bmp": bytes(2**20)}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(members=2), "must have at most 2 members, got 3; split it"),
        (
            Limits(whole=sections.Limits(unpacked_gb=7.79e-7)),
            "must unpack to at most 779 bytes, got 780 out of ",
        ),
    ],
)
def test_too_much_in_all(path, limits, message):
    pack(path, dict.fromkeys("abc", TEXT))

    with pytest.raises(DataError, match=re.escape(f"{path}: {message}")):
        contents_of(path, limits)
    enough = Limits(members=3, whole=sections.Limits(unpacked_gb=7.8e-7))
    assert len(contents_of(path, enough)) == 3


def test_many_small_bombs_are_found_by_the_ratio_of_the_whole(path):
    pack(path, {f"{number}.bmp": bytes(2**20) for number in range(65)})

    with pytest.raises(DataError, match=r"must unpack to at most 67,108,864 bytes, got 68,157,440"):
        contents_of(path)
    assert len(contents_of(path, Limits(whole=sections.Limits(unpacked_ratio=1100)))) == 65


@pytest.mark.parametrize(
    ("first", "second", "beside"),
    [
        pytest.param("cat/1.jpg", "cat/1.jpg", "cat/1.jpg", id="twice"),
        pytest.param("cat/1.jpg", "cat//./1.jpg", "cat/1.jpg", id="twice, spelled otherwise"),
        pytest.param("cat/1.jpg", "cat/1.JPG", "cat/1.jpg", id="file"),
        pytest.param("Cat/1.jpg", "cat/2.jpg", "Cat", id="folder"),
        pytest.param("Cat/", "cat/", "Cat", id="empty folder"),
        pytest.param("pets/Cat/1.jpg", "pets/cat/2.jpg", "pets/Cat", id="deep folder"),
        pytest.param("cat", "cat/1.jpg", "cat", id="file, then folder"),
        pytest.param("cat/1.jpg", "cat", "cat", id="folder, then file"),
        pytest.param("Straße/1.jpg", "STRASSE/2.jpg", "Straße", id="long case"),
        pytest.param("\u00e9.jpg", "e\u0301.jpg", "\u00e9.jpg", id="Unicode form"),
        pytest.param("\u00c9.jpg", "e\u0301.jpg", "\u00c9.jpg", id="form and case"),
    ],
)
def test_names_that_collide(path, first, second, beside):
    pack(path, {first: TEXT, "x": TEXT}, set_all(filename=second))

    message = (
        f"{path}: {second}: must differ by more than case or its form in Unicode from every other "
        f"name, got {beside} beside it; rename one"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        contents_of(path)


def test_members_that_share_their_data(path):
    def share(members):
        for member in members[1:]:
            member.header_offset = members[0].header_offset

    pack(path, dict.fromkeys("abc", TEXT), share)

    with pytest.raises(
        DataError, match=r": a: data must lie between bytes 0 and 0, .* got 0 to 48"
    ):
        contents_of(path)


def test_member_whose_data_contain_another(path):
    def swallow(members):
        members[0].compress_size += 20

    pack(path, {"a": TEXT, "b": TEXT}, swallow)

    with pytest.raises(DataError, match=r"a: data must lie between .* get the zip anew"):
        contents_of(path)


def test_data_behind_the_directory(path):
    pack(path, {"a": TEXT}, set_all(header_offset=10**12))

    with pytest.raises(DataError, match="got 1,000,000,000,000 to 1,000,000,000,048"):
        contents_of(path)


def test_missing_file(path):
    with pytest.raises(DataError, match=r"pets\.zip: not found; put the archive there"):
        contents_of(path)


@pytest.mark.parametrize("length", [10, 100, 315, -1])
def test_truncated_zip(path, length):
    pack(path, {f"{number}.jpg": TEXT for number in range(5)})
    path.write_bytes(path.read_bytes()[:length])

    with pytest.raises(DataError, match=r"pets\.zip: must be a whole zip file: .*; get it anew"):
        contents_of(path)


def test_zip_without_its_beginning(path):
    pack(path, {f"{number}.jpg": TEXT for number in range(5)})
    path.write_bytes(path.read_bytes()[70:])

    with pytest.raises(DataError, match=r"0\.jpg: data must lie between .* got -70 to -22"):
        contents_of(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "must be a zip or a tar, got an empty file; get it anew", id="empty"),
        pytest.param(b"7z\xbc\xaf\x27\x1c" + bytes(9), "got a 7z archive; unpack it", id="7z"),
        pytest.param(b"Rar!\x1a\x07\1\0" + bytes(9), "got a RAR archive; unpack it", id="RAR"),
        pytest.param(
            b"\n<html>Not found</html>" * 9, "got a web page; download the archive", id="web page"
        ),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(9), "got a photo; add the folder", id="photo"),
        pytest.param(b"PK\7\x08PK\3\4" + bytes(99), "got a part of an archive in", id="spanned"),
        pytest.param(b"noise" * 99, "must be a whole zip file: File is not a zip", id="noise"),
    ],
)
def test_not_a_zip(path, content, said):
    path.write_bytes(content)

    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: .*{re.escape(said)}"):
        contents_of(path)


@pytest.mark.parametrize(
    ("name", "beside", "join"),
    [
        ("pets.z01", "pets.zip", "zip -s 0 pets.zip --out joined.zip"),
        ("pets.zip", "pets.z01", "zip -s 0 pets.zip --out joined.zip"),
        ("pets.zip.001", "pets.zip.002", "cat pets.zip.* > pets.zip"),
    ],
)
def test_a_part_of_a_zip(tmp_path, name, beside, join):
    pack(tmp_path / name, {"1.jpg": TEXT})
    (tmp_path / beside).touch()

    said = f"a part of an archive in parts; join them, such as with `{join}`"
    with pytest.raises(DataError, match=re.escape(said)):
        contents_of(tmp_path / name)


class Odd(zipfile.ZipInfo):
    """A member whose name is packed as it is given, in bytes, without the flag of UTF-8."""

    def _encodeFilenameFlags(self):
        return self.raw, 0


@pytest.mark.parametrize(
    ("raw", "field", "name"),
    [
        pytest.param("Kätzchen/1.jpg".encode(), None, "Kätzchen/1.jpg", id="macOS"),
        pytest.param("Ka\u0308tzchen/1.jpg".encode(), None, "Kätzchen/1.jpg", id="macOS, NFD"),
        pytest.param("Kätzchen/1.jpg".encode("cp437"), None, "Kätzchen/1.jpg", id="DOS"),
        pytest.param(b"K?tzchen/1.jpg", "Kätzchen/1.jpg", "Kätzchen/1.jpg", id="field beside"),
        pytest.param(b"K?tzchen/1.jpg", "\udcff", "K?tzchen/1.jpg", id="field that is no UTF-8"),
        pytest.param(b"cats/Icon\r", None, "cats/Icon\r", id="icon of macOS"),
    ],
)
def test_names_are_decoded_once(path, raw, field, name):
    member = Odd("x")
    member.raw = raw
    if field:
        field = field.encode(errors="surrogateescape")
        content = struct.pack("<BI", 1, zlib.crc32(raw)) + field
        other = struct.pack("<HH", 0x5455, 1) + b"x"
        member.extra = other + struct.pack("<HH", 0x7075, len(content)) + content
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, TEXT)

    assert contents_of(path) == {name: TEXT}


def test_a_field_of_another_name_does_not_count(path):
    member = zipfile.ZipInfo("cat/1.jpg")
    field = struct.pack("<BI", 1, zlib.crc32(b"cat/2.jpg")) + b"dog/1.jpg"
    member.extra = struct.pack("<HH", 0x7075, len(field)) + field
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, TEXT)

    assert contents_of(path) == {"cat/1.jpg": TEXT}


def test_folders_are_known(path):
    pack(path, {"pets/": b"", "pets/cat/": b"", "pets/dog/1.jpg": TEXT})

    with archives.opened(path) as archive:
        assert (archive.files, archive.folders) == (["pets/dog/1.jpg"], ["pets/", "pets/cat/"])


def test_name_that_is_not_in_its_encoding(path):
    pack(path, {"ö.jpg": TEXT})
    path.write_bytes(path.read_bytes().replace("ö".encode(), b"\xff\xff"))

    with pytest.raises(DataError, match="must be a whole zip file: 'utf-8' codec can't decode"):
        contents_of(path)


def damaged(content, position):
    return content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]


@pytest.mark.parametrize(
    ("position", "message"),
    [
        pytest.param(2, "must be whole: Bad magic number for file header", id="header"),
        pytest.param(30, "must be whole: File name in directory", id="name"),
        pytest.param(31, "must be whole: Error -3 while decompressing", id="data"),
    ],
)
def test_damaged_member_is_found_when_it_is_read(path, position, message):
    pack(path, {"a": TEXT, "b": TEXT})
    path.write_bytes(damaged(path.read_bytes(), position))

    with archives.opened(path) as archive:
        with pytest.raises(DataError, match=f"{path}: a: {message}.*; get the zip anew"):
            archive.read("a")
        assert archive.read("b") == TEXT


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        pytest.param({"CRC": 7}, "must be whole: Bad CRC-32 for file 'a'", id="checksum"),
        pytest.param({"file_size": 259}, "must be whole: Bad CRC-32", id="less"),
        pytest.param({"file_size": 0}, "must be whole: Bad CRC-32", id="nothing"),
        pytest.param(
            {"file_size": 261},
            "must unpack to 261 bytes, as the directory says, got 260; get the zip anew",
            id="more",
        ),
        pytest.param({"compress_size": 9}, "a: must be whole: Bad CRC-32", id="less packed"),
        pytest.param({"compress_size": 0}, "a: must be whole: Bad CRC-32", id="no data"),
    ],
)
def test_directory_that_lies(path, attributes, message):
    pack(path, {"a": TEXT}, set_all(**attributes))

    with pytest.raises(DataError, match=message):
        contents_of(path)


def test_header_that_points_behind_the_end(path):
    content = bytearray(pack(path, {"a": TEXT}).read_bytes())
    content[28:30] = b"\xff\xff"  # the length of the header's extra field
    path.write_bytes(content)

    reason = "(its data end early|Overlapped entries: 'a' .possible zip bomb.)"  # by newer Pythons
    with pytest.raises(DataError, match=f"a: must be whole: {reason}; get the zip anew"):
        contents_of(path)


def test_lying_bomb_takes_no_memory(path):
    pack(path, {"a": bytes(50 * 2**20)}, set_all(file_size=1000))

    tracemalloc.start()
    with pytest.raises(DataError, match="a: must be whole: Bad CRC-32"):
        contents_of(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_no_damage_brings_another_error(path):
    pack(path, {"cat/": b"", "cat/ö.jpg": TEXT, "cat/2.jpg": bytes(300), "b": b"1"})
    whole, draw, outcomes = path.read_bytes(), random.Random(3), set()

    for _ in range(500):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(len(content))] = draw.choice((0, 1, 0x7F, 0xFF, 0x50))
        path.write_bytes(content[: draw.choice((None, None, -1, draw.randrange(len(content))))])
        try:
            outcomes.add(len(contents_of(path)))
        except DataError:
            outcomes.add("error")

    assert outcomes >= {3, "error"}


def test_a_pipe_is_no_archive(tmp_path):
    os.mkfifo(tmp_path / "pets.zip")  # to open it would wait without end
    with pytest.raises(
        DataError, match=r"pets\.zip: must be a file or a folder, got neither; copy"
    ):
        contents_of(tmp_path / "pets.zip")


def test_what_zipfile_keeps_of_each_member_does_not_stay(path):
    """It would be a third of the memory of `extract`."""
    pack(path, {f"pets/cat/{number}.jpg": TEXT for number in range(9)})

    with archives.opened(path, GENEROUS) as archive:
        kept = [one for one in gc.get_objects() if isinstance(one, zipfile.ZipInfo)]
        assert not {one.filename for one in kept} & set(archive.files)
        assert [archive.read(name) for name in archive.files] == [TEXT] * 9
