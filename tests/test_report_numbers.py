import pytest

from imago.reports import numbers


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (0.97, "share", "97.00 %"),
        (0.999949, "share", "99.99 %"),
        (1, "share", "100.00 %"),
        (0, "share", "0.00 %"),
        (1234567, "count", "1,234,567"),
        (1500, "bytes", "1.5 kB"),
        (999_949, "bytes", "999.9 kB"),
        (2_500_000, "bytes", "2.5 MB"),
        (0.8765432, "number", "0.87654"),
        (0.0000012, "number", "1.2e-06"),
        (12, "number", "12"),
        (12345678.0, "number", "12,345,678"),
        (None, "share", "–"),
        (float("nan"), "number", "–"),
    ],
)
def test_text(value, kind, expected):
    assert numbers.text(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1, "1 image"), (0, "0 images"), (2000, "2,000 images")]
)
def test_counted(value, expected):
    assert numbers.counted(value, "image") == expected
