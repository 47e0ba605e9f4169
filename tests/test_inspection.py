import hashlib
import zipfile

import cv2
import numpy as np
import photo_archives
import pytest
from photo_archives import encoded, photo, picture

from imago.core import workers
from imago.datasets.image_folder import archives, inspection
from imago.datasets.image_folder.arrangement import Place
from imago.photos.fingerprints import fingerprint

CAT = Place("train", "cat")


def inspect(path, greatest_pixels=10_000):
    with archives.opened(path) as archive:
        return inspection.inspect(archive, dict.fromkeys(archive.files, CAT), greatest_pixels)


def test_what_is_known_of_a_photo(tmp_path):
    content = photo(1)
    found = inspect(photo_archives.write(tmp_path / "x.zip", {"cat/1.png": content}))

    assert found.unreadable == {}
    assert found.photos == [
        inspection.Photo(
            path="cat/1.png",
            split="train",
            class_name="cat",
            width_px=32,
            height_px=24,
            file_bytes=len(content),
            sha256=hashlib.sha256(content).digest(),
            fingerprint=fingerprint(picture(1)),
        )
    ]


def test_the_order_is_kept_over_many_tasks(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "PHOTOS_PER_TASK", 3)
    contents = {f"{number:02d}.png": photo(number) for number in range(20)}
    contents["07.png"] = b"no photo"
    found = inspect(photo_archives.write(tmp_path / "x.zip", contents))

    assert [one.path for one in found.photos] == [name for name in contents if name != "07.png"]
    assert list(found.unreadable) == ["07.png"]
    assert found.photos[0].fingerprint == fingerprint(picture(0))
    assert found.photos[-1].fingerprint == fingerprint(picture(19))


def test_a_cluster_is_given_more_photos_at_once(tmp_path, monkeypatch):
    given = []

    def mapped(function, tasks):
        for task in tasks:
            given.append(len(task))
            yield function(task)

    monkeypatch.setattr(workers, "mapped", mapped)
    contents = {f"{number:03}.png": b"no photo" for number in range(150)}
    path = photo_archives.write(tmp_path / "x.zip", contents)
    here = inspect(path)
    assert max(given) == 16
    given.clear()
    monkeypatch.setenv(workers.VARIABLE, "tcp://127.0.0.1:9")
    assert inspect(path) == here
    assert given == [128, 22]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"dear reader", "not of a known format", id="text"),
        pytest.param(photo(1, ".jpg")[:-200], "truncated", id="truncated JPEG"),
        pytest.param(photo(1)[:-200], "not decodable as PNG", id="truncated PNG"),
        pytest.param(encoded(np.zeros((101, 100, 3), np.uint8)), "too many", id="pixels"),
    ],
)
def test_reasons(tmp_path, content, reason):
    found = inspect(photo_archives.write(tmp_path / "x.zip", {"1.jpg": content, "2.png": photo(2)}))

    assert [one.path for one in found.photos] == ["2.png"]
    assert found.unreadable["1.jpg"].startswith(reason)


def test_damage_in_the_archive_is_a_reason(tmp_path):
    path = photo_archives.write(tmp_path / "x.zip", {"1.png": photo(1), "2.png": photo(2)})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        content[archive.getinfo("1.png").header_offset + 100] ^= 0xFF
    path.write_bytes(content)

    found = inspect(path)

    assert found.unreadable == {"1.png": "damaged within the archive"}
    assert [one.path for one in found.photos] == ["2.png"]


def test_sizes_are_those_of_the_upright_photo(tmp_path):
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    plain = cv2.imencode(".jpg", picture(1))[1].tobytes()
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:]
    (found,) = inspect(photo_archives.write(tmp_path / "x.zip", {"1.jpg": turned})).photos

    assert (found.width_px, found.height_px) == (24, 32)


def test_a_large_jpeg_is_looked_at_in_part_and_known_whole(tmp_path, monkeypatch):
    large = cv2.resize(picture(3), (1300, 1100), interpolation=cv2.INTER_CUBIC)
    decoded = []
    monkeypatch.setattr(inspection.fingerprints, "fingerprint", decoded.append)
    path = photo_archives.write(tmp_path / "x.zip", {"a.jpg": encoded(large, ".jpg")})

    (found,) = inspect(path, 2_000_000).photos

    assert (found.width_px, found.height_px) == (1300, 1100)
    assert decoded[0].shape == (275, 325, 3)


def test_a_large_jpeg_has_the_look_of_its_other_copies(tmp_path):
    for number in range(5):
        large = cv2.resize(picture(number), (1300, 1100), interpolation=cv2.INTER_CUBIC)
        contents = {"a.jpg": encoded(large, ".jpg"), "b.png": encoded(large)}
        first, second = inspect(
            photo_archives.write(tmp_path / f"{number}.zip", contents), 2_000_000
        ).photos
        assert (first.fingerprint.look ^ second.fingerprint.look).bit_count() <= 2
