import errno
import gzip
import io
import lzma
import os
import random
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from imago.core import sections
from imago.core.errors import DataError, DiskFullError
from imago.datasets.image_folder import archives
from imago.datasets.image_folder.archive import GENEROUS, Limits

TEXT = b"a photo, say " * 90
CONTENTS = {"pets/cat/1.jpg": TEXT, "pets/dog/2.jpg": b"two", "a.txt": b""}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tarred(contents, mode="w", form=tarfile.PAX_FORMAT, edit=lambda member: None):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, format=form) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.rstrip("/"))
            member.size = len(content)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            edit(member)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def contents_of(path, limits=GENEROUS):
    with archives.opened(path, limits) as archive:
        return {name: archive.read(name) for name in archive.files}


def read(here, content, limits=GENEROUS):
    (here / "pets.tar").write_bytes(content)
    return contents_of(here / "pets.tar", limits)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_files_come_sorted(here, mode, form):
    assert list(read(here, tarred(CONTENTS, mode, form)).items()) == sorted(CONTENTS.items())
    assert not list((here / ".imago").iterdir()) if mode != "w" else not (here / ".imago").exists()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_those_of_other_alphabets(here, form):
    contents = {f"{'long/' * 25}{'n' * 90}.jpg": TEXT, "Kätzchen/犬.jpg": b"x", "b/1.jpg": b"y"}

    assert read(here, tarred(contents, form=form)) == contents


def test_names_have_one_form(here):
    contents = {"./Ka\u0308tzchen/1.jpg": TEXT}

    assert read(here, tarred(contents, form=tarfile.GNU_FORMAT)) == {"Kätzchen/1.jpg": TEXT}


def test_a_name_that_is_no_utf8(here):
    content = tarred({"caf\udce9/1.jpg": TEXT}, form=tarfile.GNU_FORMAT)

    assert read(here, content) == {"café/1.jpg": TEXT}


def test_folders_are_known(here):
    (here / "pets.tar").write_bytes(tarred({"./": b"", "pets/": b"", "pets/dog/1.jpg": TEXT}))

    with archives.opened(here / "pets.tar") as archive:
        assert (archive.files, archive.folders) == (["pets/dog/1.jpg"], ["pets/"])


def test_several_streams_of_xz(here):
    whole = tarred(CONTENTS)

    assert read(here, lzma.compress(whole[:700]) + lzma.compress(whole[700:])) == CONTENTS


def test_a_tar_that_is_cut_off_while_it_is_read(here):
    (here / "pets.tar").write_bytes(tarred({"cat/1.jpg": TEXT}))
    with archives.opened(here / "pets.tar") as archive:
        os.truncate(here / "pets.tar", 700)
        with pytest.raises(DataError, match=r"cat/1.jpg: must have 1,170 bytes, .* got 188; get"):
            archive.read("cat/1.jpg")


def test_many_threads_may_read(here):
    contents = {f"{number:03}.jpg": bytes([number]) * 5000 for number in range(100)}
    (here / "a.tgz").write_bytes(tarred(contents, "w:gz"))

    with archives.opened(here / "a.tgz") as archive, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(archive.read, archive.files)) == list(contents.values())


def kind(value):
    def edit(member):
        member.type, member.linkname = value, "x"

    return edit


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (tarred({"../a.jpg": b"x"}), "../a.jpg: path must stay within the archive"),
        (tarred({"/a.jpg": b"x"}), "/a.jpg: path must be relative"),
        (tarred({"a.jpg": b""}, edit=kind(tarfile.SYMTYPE)), "got a symbolic link; leave it out"),
        (tarred({"a.jpg": b""}, edit=kind(tarfile.LNKTYPE)), "got a hard link; leave it out"),
        (tarred({"a.jpg": b""}, edit=kind(tarfile.FIFOTYPE)), "got a named pipe; leave it out"),
        (tarred({"a.jpg": b"", "A.jpg": b""}), "A.jpg: must differ by more than case"),
        (tarred(CONTENTS)[:1600], "must have 0 to 1,088 bytes, got 1,170; get the archive anew"),
        (tarred(CONTENTS)[:700] + b"?" * 900, "must have 0 to "),
        (tarred({"a": b""})[:512] + b"?" * 512, "must be a whole tar: "),
        (tarred(CONTENTS, "w:gz")[:-40], "must be a whole archive: "),
        (tarred(CONTENTS, "w:xz")[:-40], "must be a whole archive: its data end early; get it"),
        (gzip.compress(b"x" * 9000), "must be a whole tar: "),
    ],
    ids=[
        "above",
        "absolute",
        "symbolic link",
        "hard link",
        "pipe",
        "case",
        "cut off",
        "overwritten",
        "no second header",
        "gz cut off",
        "xz cut off",
        "no tar in gz",
    ],
)
def test_what_is_refused(here, content, message):
    check_refused(here, content, message)


def check_refused(here, content, message):
    with pytest.raises(DataError) as caught:
        read(here, content)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{here}/pets.tar: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("compress", "got"),
    [(partial(gzip.compress, compresslevel=1), "68,157"), (partial(lzma.compress, preset=0), "")],
    ids=["gz", "xz"],
)
def test_a_bomb_is_refused(here, compress, got):
    message = f"must unpack to at most 67,108,864 bytes, got {got}"

    check_refused(here, compress(bytes(70 * 2**20)), message)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(members=2), "must have at most 2 members, got more; split it"),
        (Limits(member_bytes=9), "pets/cat/1.jpg: must have 0 to 9 bytes, got 1,170"),
        (Limits(whole=sections.Limits(unpacked_gb=1e-6)), "must unpack to at most 1,000 bytes"),
    ],
)
def test_limits(here, limits, message):
    with pytest.raises(DataError, match=message):
        read(here, tarred(CONTENTS), limits)


def test_a_full_disk_is_said_as_such(here, monkeypatch):
    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(DiskFullError, match=r"\.imago: cannot be written: No space left"):
        read(here, tarred(CONTENTS, "w:gz"))


def test_a_long_header_is_not_read_whole(here):
    long = tarfile.TarInfo("x")
    long.type, long.size = tarfile.XHDTYPE, 70_000
    content = long.tobuf() + b"9" * 70_144 + tarred(CONTENTS)

    with pytest.raises(DataError, match="a name must have at most 65,536 bytes, got more"):
        read(here, content)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_no_damage_brings_another_error(here, mode):
    whole, draw, outcomes = tarred(CONTENTS, mode), random.Random(3), set()

    for _ in range(150):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 4)):
            content[draw.randrange(min(len(content), 1600))] = draw.choice((0, 1, 0x7F, 0xFF, 0x50))
        try:
            outcomes.add(len(read(here, bytes(content))))
        except DataError:
            outcomes.add("error")

    assert "error" in outcomes
