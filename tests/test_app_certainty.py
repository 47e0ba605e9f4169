import pytest

from app import certainty


@pytest.mark.parametrize(
    ("shares", "expected", "names_second"),
    [
        ([1.0], "very_sure", False),
        ([0.03, 0.95, 0.02], "very_sure", False),
        ([0.949, 0.051], "fairly_sure", False),
        ([0.75, 0.25], "fairly_sure", False),
        ([0.26, 0.74], "unsure", True),
        ([0.4, 0.3, 0.3], "unsure", True),
        ([0.39, 0.31, 0.3], "guessing", True),
    ],
)
def test_in_words(shares: list[float], expected: str, names_second: bool) -> None:
    found = certainty.of(dict(enumerate(shares)))  # type: ignore[arg-type]
    assert found == expected
    assert certainty.names_second(found) is names_second
