"""Tiny files in place of those that recipes name, in the genuine formats and easily told apart."""

import io
import pickle
import tarfile
import zipfile

import cv2
import numpy as np


def idx(files: dict[str, str]) -> dict[str, bytes]:
    """Tiny files in place of MNIST's: 10 classes that differ in where they are bright."""
    generator = np.random.default_rng(1)
    found = {}
    for split, count in (("train", 200), ("t10k", 50)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[label * 2 : label * 2 + 6] += 150
        header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4) for n in (count, 28, 28))
        found[f"{split}-images-idx3-ubyte"] = header + images.tobytes()
        found[f"{split}-labels-idx1-ubyte"] = (
            bytes([0, 0, 8, 1]) + count.to_bytes(4) + labels.tobytes()
        )
    assert found.keys() == files.keys()
    return found


def cifar(files: dict[str, str]) -> dict[str, bytes]:
    """Tiny batches in place of CIFAR-10's."""
    generator = np.random.default_rng(2)
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    contents = {"batches.meta": {"label_names": [f"class {n}" for n in range(10)]}}
    for name in names:
        labels = [n % 10 for n in range(40)]
        images = generator.integers(0, 60, (40, 3, 32, 32))
        for image, label in zip(images, labels, strict=True):
            image[label % 3, label * 3 : label * 3 + 5] += 150
        contents[name] = {"data": images.reshape(40, -1).astype(np.uint8), "labels": labels}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            data = pickle.dumps(content, protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return dict.fromkeys(files, buffer.getvalue())


def photos(files: dict[str, str]) -> dict[str, bytes]:
    """A tiny zip in place of that of cats and dogs."""
    generator = np.random.default_rng(3)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, color in (("Cat", (200, 60, 60)), ("Dog", (60, 60, 200))):
            for number in range(60):
                pixels = generator.normal(color, 8, (80 + number % 20, 80, 3)).clip(0, 255)
                content = cv2.imencode(".jpg", pixels.astype(np.uint8))[1].tobytes()
                archive.writestr(f"PetImages/{name}/{number}.jpg", content)
    return dict.fromkeys(files, buffer.getvalue())


def stamps(files: dict[str, str]) -> dict[str, bytes]:
    """A tiny tar in place of Debian's package of stamps, and a table of them."""
    generator = np.random.default_rng(4)
    archive_name, table_name = files
    buffer, rows = io.BytesIO(), ["path,label\n"]
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, color in (("animals", (200, 60, 60)), ("food", (60, 60, 200))):
            for number in range(60):
                pixels = generator.normal(color, 8, (80 + number % 20, 80, 3)).clip(0, 255)
                content = cv2.imencode(".png", pixels.astype(np.uint8))[1].tobytes()
                member = tarfile.TarInfo(f"./usr/share/stamps/{name}/{number}.png")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
                rows.append(f"usr/share/stamps/{name}/{number}.png,{name}\n")
    return {archive_name: buffer.getvalue(), table_name: "".join(rows).encode()}


MAKERS = {
    "mnist": idx,
    "fashion_mnist": idx,
    "cifar10": cifar,
    "cat_dog": photos,
    "tuxpaint_stamps": stamps,
}
"""What makes the files of a data set, given their names."""
