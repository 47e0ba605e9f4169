import pytest

from app import intake, limits
from tests import malformed

JPEG = malformed.picture("JPEG")


def test_a_photo() -> None:
    found = intake.examine("a.png", malformed.picture("PNG", 7, (1, 2, 3)))
    assert isinstance(found, intake.Photo)
    assert (found.name, found.pixels.shape) == ("a.png", (7, 7, 3))
    assert found.pixels[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "empty"),
        (b"hello", "unreadable"),
        (JPEG[:-20], "unreadable"),
        (JPEG + bytes(limits.IMAGE_BYTES), "too_large"),
        (malformed.png_claiming(8001, 5000), "too_many_pixels"),
        (malformed.progressive(200), "too_complex"),
    ],
    ids=["empty", "text", "cut", "large", "pixels", "scans"],
)
def test_a_refusal(content: bytes, fault: intake.Fault) -> None:
    found = intake.examine("a.jpg", content)
    assert isinstance(found, intake.Rejected)
    assert (found.name, found.fault) == ("a.jpg", fault)
    assert found.reason


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a b.png", "a b.png"),
        ("../../etc/a.png", "a.png"),
        ("C:\\photos\\a.png", "a.png"),
        ("a\0\n\u202ea.png", "aa.png"),
        ("", "?"),
        ("x" * 100, "x" * 79 + "…"),
    ],
)
def test_names(name: str, shown: str) -> None:
    assert intake.shown(name) == shown


@pytest.mark.parametrize("padding", [b"\xff", b"\xff\xe2\0\2", b"\xff\xd0"])
def test_endless_segments_are_not_gone_through(padding: bytes) -> None:
    found = intake.examine("a.jpg", JPEG[:2] + padding * 3000 + JPEG[2:])
    assert isinstance(found, intake.Rejected)
    assert found.fault == "too_complex"
