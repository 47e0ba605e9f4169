import collections
import pickle
from pathlib import Path

import numpy as np
import pytest

from imago.backbones import _torch_file
from tests import torch_file

TENSORS = {
    "rows": np.arange(6, dtype=np.float32).reshape(2, 3),
    "number": np.array(7, np.float32),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch_file.write(tmp_path / "net.pth", TENSORS)
    return tmp_path / "net.pth"


def test_tensors_by_their_names(path: Path) -> None:
    found = _torch_file.read(path)
    assert list(found) == list(TENSORS)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(found[name], tensor)
        assert (found[name].shape, found[name].dtype) == (tensor.shape, np.float32)


def test_strides_are_followed(tmp_path: Path) -> None:
    """As of a tensor that was transposed before it was saved."""
    rows = TENSORS["rows"]
    torch_file.write(tmp_path / "net.pth", {"turned": np.asfortranarray(rows)})
    found = _torch_file.read(tmp_path / "net.pth")["turned"]
    assert found.strides == (12, 4)
    # The storage has the numbers in the order of rows; the strides take it for one of columns.
    np.testing.assert_array_equal(found, rows.ravel().reshape(3, 2).T)


def test_truncated(path: Path) -> None:
    content = path.read_bytes()
    for length in (*range(0, len(content) - 40, 7), len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="must "):
            _torch_file.read(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ctorch\nFloatStorage", b"ctorch\nByteStorage", "it asks for 'torch.ByteStorage'"),
        (b"ctorch._utils\n_rebuild", b"cos.path12345\n_rebuild", "it asks for 'os.path12345"),
        (b"\x8a\nl\xfc", b"\x8a\nm\xfc", "must have the magic number"),
        (b"ccollections\nOrderedDict\n", b"ccollections\ndefaultdict\n", "collections.default"),
    ],
    ids=["another type", "another function", "another magic", "another dict"],
)
def test_what_is_strange(path: Path, old: bytes, new: bytes, message: str) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    with pytest.raises(ValueError, match=message):
        _torch_file.read(path)


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((7,), (1,), 0),
        ((2, 3), (3, 2), 0),
        ((2, 3), (3, 1), 1),
        ((2**40, 2**40), (0, 0), 0),
        ((2,), (1, 1), 0),
    ],
    ids=["longer", "wide steps", "offset", "bomb", "dimensions"],
)
def test_tensors_stay_within_their_storage(shape, strides, offset) -> None:
    storage = _torch_file._Storage("0", np.dtype("<f4"), 6)
    tensor = _torch_file._Tensor(storage, offset, shape, strides)
    with pytest.raises(ValueError, match="net: must lie within its storage 0"):
        _torch_file._array("net", tensor, {"0": np.zeros(6, np.float32)})


def test_another_pickle(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(pickle.dumps(collections.Counter("abc"), protocol=2))
    with pytest.raises(ValueError, match=r"it asks for 'collections\.Counter'"):
        _torch_file.read(tmp_path / "net.pth")
