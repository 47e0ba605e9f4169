import pytest

from app import certainty


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([1.0], "very_sure"),
        ([0.03, 0.95, 0.02], "very_sure"),
        ([0.949, 0.051], "fairly_sure"),
        ([0.75, 0.25], "fairly_sure"),
        ([0.26, 0.74], "unsure"),
        ([0.4, 0.3, 0.3], "unsure"),
        ([0.39, 0.31, 0.3], "guessing"),
    ],
)
def test_in_words(shares: list[float], expected: str) -> None:
    assert certainty.of(dict(enumerate(shares))) == expected  # type: ignore[arg-type]
