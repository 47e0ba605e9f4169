import pytest

from imago.core.errors import DataError
from imago.scoring import summary


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "plain.json"
    summary.write(path, {"accuracy": 0.1 + 0.2, "examples": 10})

    assert path.read_text("utf-8").splitlines() == [
        "{",
        '  "accuracy": 0.30000000000000004,',
        '  "examples": 10',
        "}",
    ]
    assert summary.read(path) == {"accuracy": 0.1 + 0.2, "examples": 10}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, " not found"),
        (b"", " must be JSON: Expecting value: line 1 column 1 .char 0."),
        (b"\xff\xfe\xff", " must be JSON: .*"),
        (b"[0.5]", " must be an object of numbers, got list"),
        (b'{"accuracy": "0.5"}', ": accuracy must be a number, got '0.5'"),
        (b'{"accuracy": true}', ": accuracy must be a number, got True"),
        (b'{"accuracy": 0.5, "loss": NaN}', ": loss must be a number, got nan"),
        (b'{"accuracy": 0.5, "of_classes": {}}', ": of_classes must be a number, got {}"),
        (b'{"loss": 0.5}', " has no accuracy"),
    ],
)
def test_what_is_no_summary_is_said_in_a_line(tmp_path, content, message):
    path = tmp_path / "plain.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(DataError, match=r"plain\.json:?" + message) as caught:
        summary.read(path)

    assert "\n" not in str(caught.value)
    assert "; run the stage evaluate" in str(caught.value)
