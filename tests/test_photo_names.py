import pytest

from imago.core import photo_names


@pytest.mark.parametrize("suffix", sorted(photo_names.SUFFIXES))
def test_photos(suffix):
    assert photo_names.reason_against(f"a folder/a.photo{suffix}") is None
    assert photo_names.reason_against(f"A{suffix.upper()}") is None


@pytest.mark.parametrize("path", ["../a.jpg", "./a.jpg", "a.b/c.jpg"])
def test_where_a_path_leads_to_is_not_hidden(path):
    assert photo_names.reason_against(path) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".ipynb_checkpoints", photo_names.HIDDEN),
        ("@eaDir", photo_names.SYSTEM),
        ("__MACOSX", photo_names.SYSTEM),
        ("cats", None),
        ("..", None),
    ],
)
def test_folders(name, reason):
    assert photo_names.reason_against_folder(name) == reason


@pytest.mark.parametrize(
    ("path", "is_document"), [("a.txt", True), ("A.CSV", True), ("a.nef", False), ("a", False)]
)
def test_documents(path, is_document):
    assert photo_names.is_document(path) is is_document


def test_names_that_are_one():
    assert photo_names.folded("K\u00c4TZCHEN") == photo_names.folded("ka\u0308tzchen")
    assert photo_names.normal("a\u0308") == "\u00e4"


def test_a_few_of_many():
    assert photo_names.listed(["a", "b"]) == "a, b"
    assert photo_names.listed(list("abcdef"), 2) == "a, b and 4 more"


def test_reasons_are_counted():
    reasons = ["truncated: a"] * 1200 + ["truncated: b"] * 34 + ["empty"] * 2
    assert photo_names.by_reason(reasons) == "1,234 truncated, 2 empty"
    assert photo_names.by_reason("aabbccddeefgh") == "2 a, 2 b, 2 c, 2 d, 2 e, 3 for other reasons"
