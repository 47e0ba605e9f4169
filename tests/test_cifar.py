import builtins
import gzip
import io
import os
import pickle
import re
import struct
import tarfile
import tracemalloc

import numpy as np
import pytest

from imago import params
from imago.core import pickles
from imago.core.errors import DataError, ParamsError
from imago.data import arrays
from imago.datasets.cifar import layout
from imago.datasets.cifar.settings import Extract, Settings

ARCHIVE = "pets-python.tar.gz"
CLASSES = ("cat", "dog", "owl")
IMAGES = np.random.default_rng(3).integers(0, 256, (7, 2, 2, 3), dtype=np.uint8)
LABELS = [2, 0, 1, 2, 1, 0, 2]
PARTS = {"batch_1": slice(0, 3), "batch_2": slice(3, 5), "test": slice(5, 7)}


def rows(images):
    """The planes of each image in a row."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)


def record(part, **changes):
    content = {"data": rows(IMAGES[part]), "labels": LABELS[part]}
    return {"batch_label": b"a batch", "filenames": [b"x.png"] * 3} | content | changes


def records(**changes):
    content = {name: record(part) for name, part in PARTS.items()}
    return content | {"meta": {"label_names": [*CLASSES], "num_vis": 12}} | changes


class Python2:
    """Writes pickles opcode by opcode as cPickle of Python 2 does in protocol 2."""

    def __init__(self):
        self.puts = 0

    def dumps(self, value):
        return b"\x80\x02" + self.write(value) + b"."

    def put(self, content):
        number, self.puts = self.puts, self.puts + 1
        return content + (b"q%c" % number if number < 256 else b"r" + struct.pack("<I", number))

    def write(self, value):
        match value:
            case int():
                codes = ((256, b"K", "<B"), (65536, b"M", "<H"), (2**31, b"J", "<i"))
                code, form = next((code, form) for end, code, form in codes if 0 <= value < end)
                return code + struct.pack(form, value)
            case str():
                return self.write(value.encode("latin-1"))
            case bytes() if len(value) < 256:
                return self.put(b"U" + struct.pack("<B", len(value)) + value)
            case bytes():
                return self.put(b"T" + struct.pack("<I", len(value)) + value)
            case list():
                return self.put(b"]") + b"(" + b"".join(map(self.write, value)) + b"e"
            case dict():
                pairs = [self.write(part) for pair in value.items() for part in pair]
                return self.put(b"}") + b"(" + b"".join(pairs) + b"u"
        return self.array(value)

    def array(self, value):
        empty = self.put(b"cnumpy.core.multiarray\n_reconstruct\n") + self.put(b"cnumpy\nndarray\n")
        empty = self.put(empty + self.put(b"K\0\x85") + self.write(b"b") + self.put(b"\x87") + b"R")
        shape = self.put(b"".join(map(self.write, value.shape)) + b"\x86")
        kind = self.put(b"cnumpy\ndtype\n") + self.write(value.dtype.str[1:]) + b"K\0K\1"
        kind = self.put(kind + self.put(b"\x87") + b"R")
        kind += b"(K\3" + self.write(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\0"
        kind += self.put(b"t") + b"b"
        columnwise = value.flags.f_contiguous and not value.flags.c_contiguous
        content = value.tobytes("F" if columnwise else "C")
        state = b"\x88" if columnwise else b"\x89"
        return empty + b"(K\1" + shape + kind + state + self.write(content) + self.put(b"t") + b"b"


def python_2(value):
    return Python2().dumps(value)


def python_3(protocol):
    def dumps(value):
        keyed_by_bytes = {key.encode(): entry for key, entry in value.items()}
        return pickle.dumps(keyed_by_bytes, protocol)

    return dumps


def regular(name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def tar(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def pack(folder, contents=None, dumps=python_2):
    """Write an archive; a member is given as what it holds, or as bytes that stand for it."""
    members = []
    for name, content in records(**(contents or {})).items():
        whole = content if isinstance(content, bytes) else dumps(content)
        members.append(regular(f"pets-py/{name}", whole))
    (folder / ARCHIVE).write_bytes(gzip.compress(tar(*members), 1))


@pytest.fixture
def settings():
    return Settings(
        layout="cifar",
        licence="MIT",
        files={ARCHIVE: "0" * 64},
        sources=["pip:none==1"],
        extract=Extract(
            archive=ARCHIVE,
            train=["batch_1", "batch_2"],
            test=["test"],
            labels="labels",
            meta="meta",
            names="label_names",
        ),
    )


def check(dataset):
    assert dataset.classes == CLASSES
    np.testing.assert_array_equal(dataset.train.images, IMAGES[:5])
    np.testing.assert_array_equal(dataset.test.images, IMAGES[5:])
    assert dataset.train.labels.tolist() == LABELS[:5]
    assert dataset.test.labels.tolist() == LABELS[5:]
    assert {split.images.dtype for split in (dataset.train, dataset.test)} == {np.dtype("uint8")}
    assert {split.labels.dtype for split in (dataset.train, dataset.test)} == {np.dtype("int32")}


@pytest.mark.parametrize(
    "dumps",
    [
        pytest.param(python_2, id="Python 2"),
        *(pytest.param(python_3(n), id=f"Python 3, protocol {n}") for n in (2, 3, 4)),
    ],
)
def test_splits(settings, tmp_path, dumps):
    pack(tmp_path, dumps=dumps)

    check(layout.read(settings, tmp_path))


def test_pickles_of_these_tests_are_genuine():
    found = pickle.loads(python_2(record(slice(0, 300), filenames=[b"x"] * 300)), encoding="bytes")

    np.testing.assert_array_equal(found[b"data"], rows(IMAGES))
    assert found[b"labels"] == LABELS
    assert found[b"filenames"] == [b"x"] * 300


def test_array_in_columns(settings, tmp_path):
    part = PARTS["batch_1"]
    pack(tmp_path, {"batch_1": record(part, data=np.asfortranarray(rows(IMAGES[part])))})

    check(layout.read(settings, tmp_path))


def test_order_of_train_members_is_that_of_the_settings(settings, tmp_path):
    pack(tmp_path)
    extract = settings.extract.model_copy(update={"train": ["batch_2", "batch_1"]})

    dataset = layout.read(settings.model_copy(update={"extract": extract}), tmp_path)
    assert dataset.train.labels.tolist() == [*LABELS[3:5], *LABELS[:3]]
    np.testing.assert_array_equal(dataset.train.images[:2], IMAGES[3:5])


def test_labels_of_two_kinds(settings, tmp_path):
    coarse = {"coarse": [0, 1, 0], "labels": [2, 0, 1]}
    names = {"label_names": [*CLASSES], "coarse_names": ["pet", "bird"]}
    pack(
        tmp_path,
        {
            "batch_1": record(PARTS["batch_1"], **coarse),
            "batch_2": record(PARTS["batch_2"], coarse=[1, 1]),
            "test": record(PARTS["test"], coarse=[0, 0]),
            "meta": names,
        },
    )
    check(layout.read(settings, tmp_path))

    update = {"labels": "coarse", "names": "coarse_names"}
    extract = settings.extract.model_copy(update=update)
    dataset = layout.read(settings.model_copy(update={"extract": extract}), tmp_path)
    assert dataset.classes == ("pet", "bird")
    assert dataset.train.labels.tolist() == [0, 1, 0, 1, 1]


def test_test_split_may_lack_a_class(settings, tmp_path):
    pack(tmp_path)

    assert 1 not in layout.read(settings, tmp_path).test.labels


def test_extract_writes_the_splits(settings, tmp_path):
    pack(tmp_path)
    target = tmp_path / "out"

    info = layout.extract(settings, tmp_path, target)
    assert info.summary() == "5 train, 2 test images of 2×2×3"
    assert info.splits["train"].examples_per_class == {"cat": 1, "dog": 2, "owl": 2}
    assert arrays.read_info(target) == info
    np.testing.assert_array_equal(arrays.read_split(target, "train").images, IMAGES[:5])


def test_other_members_are_passed_over(settings, tmp_path):
    folder, link = tarfile.TarInfo("pets-py"), tarfile.TarInfo("pets-py/meta")
    folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "/etc/passwd"
    # What GNU tar puts before a member to say its times to the nanosecond.
    extension, content = regular("pets-py/PaxHeaders/batch_1", b"30 mtime=1234567890.123456789\n")
    extension.type = tarfile.XHDTYPE
    wanted = [regular(f"./pets-py/{name}", python_2(part)) for name, part in records().items()]
    others = [(folder, b""), (link, b""), (extension, content), regular("../x/readme", b"x" * 600)]
    hostile = regular("pets-py/other", HOSTILE)
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(tar(*others, *wanted[::-1], hostile)))

    check(layout.read(settings, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [ARCHIVE]


def fails(settings, folder, message):
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        layout.read(settings, folder)
    assert str(caught.value).startswith(f"{folder / ARCHIVE}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "batch_2",
            record(PARTS["batch_2"], labels=[2]),
            "batch_2: must have 2 labels, one for each row of data, got 1; fetch it again",
            id="counts",
        ),
        pytest.param(
            "test",
            record(PARTS["test"], labels=[0, 3]),
            "test: labels must be 0 to 2, got 3 at position 1; check that labels and names",
            id="label",
        ),
        pytest.param(
            "test",
            record(PARTS["test"], labels=[0, "1"]),
            "labels must be 0 to 2, got a str at position 1",
            id="label that is text",
        ),
        pytest.param(
            "test",
            pickle.dumps({"data": rows(IMAGES[:1]), "labels": [-1]}, 2),
            "labels must be 0 to 2, got -1 at position 0",
            id="negative label",
        ),
        pytest.param(
            "test",
            record(PARTS["test"], data=np.zeros((2, 13), np.uint8)),
            "test: data must be rows of 3·n·n bytes, such as 3072 where n is 32, got 2×13; check",
            id="row",
        ),
        pytest.param(
            "test", record(PARTS["test"], data=rows(IMAGES)[:0]), "n is 32, got 0×12", id="no row"
        ),
        pytest.param(
            "test",
            record(PARTS["test"], data=np.zeros((2, 27), np.uint8)),
            "test: images must be 2×2 pixels, as in batch_1, got 3×3; the members must be of one",
            id="size",
        ),
        pytest.param(
            "batch_2",
            record(PARTS["batch_2"], data=[1, 2]),
            "batch_2: must have an array data, got only ['batch_label', 'filenames', 'data', ",
            id="list for array",
        ),
        pytest.param(
            "batch_1",
            {"data": rows(IMAGES[:1]), "fine": [1]},
            "batch_1: must have a list labels, got only ['data', 'fine']; check the names",
            id="no labels",
        ),
        pytest.param(
            "meta",
            {"names": ["a", "b"]},
            "meta: must have a list label_names, got only ['names']; check the names",
            id="no names",
        ),
        pytest.param(
            "meta",
            {"label_names": ["cat", "dog", "cat"]},
            "meta: label_names must be two or more names, each once, got 3 entries with 2 names",
            id="name twice",
        ),
        pytest.param("meta", {"label_names": [1, 2, 3]}, "3 entries with 0 names", id="numbers"),
        pytest.param("meta", {"label_names": ["cat"]}, "got 1 entries", id="one class"),
        pytest.param(
            "meta",
            {"label_names": ["a", "b", "c", "d"]},
            "the training members must have every class, got no image of d; check the members",
            id="absent class",
        ),
        pytest.param(
            "meta", ["cat"], "meta: must be a pickle of a dict, got a list; check", id="no dict"
        ),
    ],
)
def test_faulty_content(settings, tmp_path, name, content, message):
    pack(tmp_path, {name: content})

    fails(settings, tmp_path, message)


class Call:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = pickle.dumps(Call(os.system, "touch harmed"), 2)
ALONE = "batch_1: must be a pickle of texts, numbers, lists, dicts and arrays of bytes alone: "


def array_of(code, shape=b"K\1K\1", content=b"U\1x"):
    """The pickle of an array, of any type, shape and content."""
    kind = b"cnumpy\ndtype\nU\2%sK\0K\1\x87RNb" % code
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R"
    return b"\x80\x02" + empty + b"(K\1" + shape + b"\x86" + kind + b"\x89" + content + b"tb."


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(HOSTILE, f"it asks for '{os.system.__module__}.system'", id="os.system"),
        pytest.param(
            pickle.dumps(Call(os.system, "touch harmed"), 4),
            f"it asks for '{os.system.__module__}.system'",
            id="os.system, protocol 4",
        ),
        pytest.param(
            pickle.dumps(Call(builtins.eval, "open('harmed', 'w')"), 2),
            "it asks for '__builtin__.eval'",
            id="eval",
        ),
        pytest.param(
            pickle.dumps({"data": [1, Call(getattr, "x", "format")]}, 3),
            "it asks for 'builtins.getattr'",
            id="nested",
        ),
        pytest.param(
            b"\x80\x02cnumpy.testing._private.utils\nrunstring\nU\x01x}\x86R.",
            "it asks for 'numpy.testing._private.utils.runstring'",
            id="through NumPy",
        ),
        pytest.param(
            b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
            "it asks for 'numpy.ndarray.tofile'",
            id="attribute",
        ),
        pytest.param(
            b"\x80\x04\x8c\x05numpy]\x93.", "it has the opcode STACK_GLOBAL", id="nameless global"
        ),
        pytest.param(
            b"(S'touch harmed'\nios\nsystem\n.",
            "it has the opcode STRING 'touch harmed'",
            id="text",
        ),
        pytest.param(b"(ios\nsystem\n.", "it has the opcode INST 'os system'", id="INST"),
        pytest.param(b"\x80\x02cnumpy\nndarray\n)\x81.", "it has the opcode NEWOBJ", id="new"),
        pytest.param(b"(cnumpy\nndarray\no.", "it has the opcode OBJ;", id="OBJ"),
        pytest.param(b"Pharmed\n.", "it has the opcode PERSID 'harmed'", id="persistent id"),
        pytest.param(b"\x80\x02U\1xQ.", "it refers to 'x'", id="persistent id, binary"),
        pytest.param(b"\x80\x02\x82\1.", "it has the opcode EXT1 1", id="extension"),
        pytest.param(
            b"\x80\x02cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85R.", "it makes a call", id="empty array"
        ),
        pytest.param(
            b"\x80\x02c_codecs\nencode\nU\1xU\4zlib\x86R.", "it makes a call", id="another codec"
        ),
        pytest.param(
            pickle.dumps(np.array([[None]], object), 2),
            "it has an array of type 'O8'",
            id="objects",
        ),
        pytest.param(
            pickle.dumps(np.ones((1, 3)), 2), "it has an array of type 'f8'", id="array of numbers"
        ),
        pytest.param(array_of(b"V9"), "it has an array of type 'V9'", id="array of structures"),
        pytest.param(
            array_of(b"u1", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f"),
            "it has an array that is no matrix of bytes",
            id="array greater than its content",
        ),
        pytest.param(
            array_of(b"u1", b"J\xff\xff\xff\xffJ\xff\xff\xff\xff"),
            "it has an array that is no",
            id="negative shape",
        ),
        pytest.param(
            array_of(b"u1", content=b"]"), "it has an array that is no matrix", id="array of a list"
        ),
        pytest.param(
            pickle.dumps(np.zeros(3, np.uint8), 2),
            "it has an array that is no matrix",
            id="array of one dimension",
        ),
        pytest.param(b"\x80\x02}\x94}Ns.", "it fills a dict with a dict", id="key that is no text"),
        pytest.param(b"\x80\x02NNa.", "it fills a NoneType with a NoneType", id="no list"),
        pytest.param(b"\x80\x02}(U\1xu.", "zip() argument 2 is shorter", id="key without value"),
        pytest.param(b"\x80\x02h\1.", "it has the opcode BINGET 1", id="nothing in memo"),
        pytest.param(b"\x80\x02a.", "pop from empty list", id="empty stack"),
        pytest.param(rb"S'\y'" + b"\n.", "it has the opcode STRING", id="an escape that is none"),
        pytest.param(b"\x80\x02}", "pickle exhausted before seeing STOP", id="truncated"),
        pytest.param(b"", "pickle exhausted before seeing STOP", id="empty"),
        pytest.param(b"\x89PNG", "no newline found", id="another format"),
        pytest.param(b"T\xff\xff\xff\x7fx.", "expected 2147483647 bytes", id="more than there is"),
    ],
)
def test_hostile_pickle(settings, tmp_path, monkeypatch, content, fault):
    monkeypatch.chdir(tmp_path)
    pack(tmp_path, {"batch_1": content})

    fails(settings, tmp_path, ALONE + fault)
    assert [path.name for path in tmp_path.iterdir()] == [ARCHIVE]


def in_dict(value):
    return b"\x80\x02}U\6labels" + value + b"s."


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x02Nr\xff\xff\xff\xff.", id="far place in the memo"),
        pytest.param(b"\x80\x02}N" + b"q\0h\0\x86" * 99 + b"Ns.", id="key that doubles 99 times"),
        pytest.param(b"\x80\x02}N" + b"\x85" * 50_000 + b"Ns.", id="key nested deeply"),
        pytest.param(in_dict(b"N" + b"\x85" * 50_000), id="value nested deeply"),
        pytest.param(in_dict(b"]" + b"q\0](h\0h\0e" * 99), id="list that doubles 99 times"),
        pytest.param(in_dict(b"]q\0h\0a"), id="list in itself"),
    ],
)
def test_pickle_that_would_grow(settings, tmp_path, content):
    pack(tmp_path, {"batch_1": content})

    tracemalloc.start()
    fails(settings, tmp_path, "batch_1: must ")
    _, greatest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert greatest < 20 * 2**20


def test_text_in_an_array(settings, tmp_path):
    array = array_of(b"u1", b"K\1K\3", b"X\4\0\0\0\xc4\x8cxx")[2:-1]
    pack(tmp_path, {"batch_1": b"\x80\x02}(U\4data" + array + b"U\6labels](K\1eu."})

    fails(settings, tmp_path, "batch_1: data must be bytes, got other characters; fetch it again")


def test_too_many_opcodes(settings, tmp_path, monkeypatch):
    pack(tmp_path)
    monkeypatch.setattr(pickles, "OPCODES", 20)

    fails(settings, tmp_path, ALONE + "it has more than 20 opcodes")


def test_member_too_large(settings, tmp_path, monkeypatch):
    pack(tmp_path)
    monkeypatch.setattr(layout, "MEMBER_BYTES", 100)

    fails(settings, tmp_path, "'batch_1' must have 0 to 100 bytes, got ")


def test_archive_too_large(settings, tmp_path, monkeypatch):
    other = tar(regular("readme", b"x" * 2000))
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(other))
    monkeypatch.setattr(layout, "ARCHIVE_BYTES", 2000)

    fails(settings, tmp_path, "'readme' must have 0 to 1,488 bytes, got 2,000; fetch it")


def test_negative_size(settings, tmp_path):
    content = bytearray(tar(regular("batch_1", b"")))
    content[124:136] = b"\xff" * 12  # -1, as GNU tar writes numbers that octal digits cannot say
    content[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(content[:512]))[0]
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(content))

    fails(settings, tmp_path, "'batch_1' must have 0 to 1,073,741,312 bytes, got -1; fetch it")


def test_member_in_two_folders(settings, tmp_path):
    members = [regular(f"{folder}/meta", python_2({"label_names": []})) for folder in "ab"]
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(tar(*members)))

    fails(settings, tmp_path, "must have one member meta, got another in a second folder")


def test_absent_members(settings, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(gzip.compress(tar(regular("pets-py/meta", python_2({})))))

    fails(
        settings,
        tmp_path,
        "must have the members batch_1, batch_2, test, meta, got no batch_1, batch_2, test; check",
    )


BROKEN = ": must be a whole .tar.gz file: "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, ": not found; fetch the data set", id="missing"),
        pytest.param(b"PK\3\4", BROKEN + "Not a gzipped file (b'PK')", id="another format"),
        pytest.param(gzip.compress(b"x"), BROKEN + "truncated header", id="short"),
        pytest.param(
            gzip.compress(b"x" + tar(regular("meta", b""))[1:]),
            BROKEN + "bad checksum",
            id="no tar",
        ),
        pytest.param(
            gzip.compress(tar(regular("meta", bytes(999)))[:700]),
            BROKEN + "meta has 188 of 999 bytes; fetch it again",
            id="truncated tar",
        ),
        pytest.param(
            gzip.compress(tar(regular("meta", np.random.default_rng(1).bytes(999))))[:700],
            BROKEN + "Compressed file ended before",
            id="truncated gzip",
        ),
        pytest.param(
            gzip.compress(tar())[:10] + b"\xff" * 50, BROKEN + "Error -3", id="damaged gzip"
        ),
    ],
)
def test_broken_archive(settings, tmp_path, content, message):
    if content is not None:
        (tmp_path / ARCHIVE).write_bytes(content)

    fails(settings, tmp_path, message.removeprefix(": "))


PARAMS = """
seed: 20
datasets:
  pets:
    layout: cifar
    licence: MIT
    files: {pets.tar.gz: HASH}
    sources: [pip:none==1]
    extract:
      archive: pets.tar.gz
      train: [batch_1, batch_2]
      test: [test_batch]
      labels: labels
      meta: batches.meta
      names: label_names
prepare: {}
weights: {}
backbones: {}
features: {}
exports: {}
experiments: {}
""".replace("HASH", "f" * 64)


def test_sound_section():
    assert isinstance(params.parse(PARAMS).datasets["pets"], Settings)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "archive: pets",
            "archive: cats",
            "datasets.pets: files must hold extract.archive, cats.tar.gz, alone, got pets.tar.gz",
            id="unknown file",
        ),
        pytest.param(
            "files: {",
            f"files: {{e: {'e' * 64}, ",
            "files must hold extract.archive, pets.tar.gz, alone, got e, pets.tar.gz",
            id="unused file",
        ),
        pytest.param(
            "[test_batch]",
            "[test_batch, batch_2]",
            "extract must name each member once, got twice: batch_2",
            id="leak",
        ),
        pytest.param("[test_batch]", "[]", "extract.test must have at least 1", id="no member"),
        pytest.param(
            "[test_batch]",
            "[pets/test_batch]",
            "datasets.pets.extract.test.0 must be a file name, without folders",
            id="folder",
        ),
    ],
)
def test_faulty_section(old, new, message):
    assert old in PARAMS

    with pytest.raises(ParamsError, match=re.escape(message)):
        params.parse(PARAMS.replace(old, new))
