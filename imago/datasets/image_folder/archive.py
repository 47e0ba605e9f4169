"""What zips and tars have in common: files by their paths, of unknown origin, read within bounds.

What makes an archive dangerous stands in its directory, which is checked as a whole before a file
is read. Nothing is written below a name of its own.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeAlias

from imago.core import photo_names, sections
from imago.core.errors import DataError

_NAME_SHOWN = 200
_ICON = "Icon\r"
"""What macOS calls the file that holds a folder's own icon; no other name may end so."""

_Entries: TypeAlias = "dict[str, tuple[str, bool, _Entries]]"
"""Of a folder: a name without its case, then the name itself, whether a file, and what is in it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that an archive may hold."""

    members: int = 2_000_000
    """ImageNet (ILSVRC 2012) has 1.4 million photos. A member takes about 1 kB of memory."""
    whole: sections.Limits = sections.DEFAULT_LIMITS
    """On all members together, unpacked. They are read one at a time."""
    name_characters: int = 1024
    folders: int = 32
    """Into which a name goes down; each takes memory when names are compared."""
    member_bytes: int = 2**30
    """Of one member, unpacked, which is read into memory: an image of 350 million pixels."""
    ratio: float = 200.0
    """Unpacked bytes for each packed one. Compressed photos are at 1, and deflate's greatest,
    which bombs come near to, is 1,032. Source: https://zlib.net/zlib_tech.html."""
    ratio_from_bytes: int = 2**20
    """Smaller members may have any ratio: a small image of one colour does no harm."""


GENEROUS = Limits()
"""For any data set of photos."""


@dataclass(frozen=True)
class Archive:
    """An archive that is open for reading, whose directory keeps the rules.

    Attributes:
        files: Their paths, sorted: relative, with / between folders, in Unicode's form NFC; no two
            differ by case alone.
        folders: Those that have an entry of their own, sorted; each ends in /.
        read: Returns the content of a file, in any thread; memory is bounded by the size that the
            directory says. Raises DataError where that is not what is there.
    """

    files: list[str]
    folders: list[str]
    read: Callable[[str], bytes]
    reopen: Callable[[], "Archive"] | None = None
    """Opens the same in another process, where it can be pickled."""

    def __reduce__(self) -> tuple[Callable[[], "Archive"], tuple[()]]:
        if self.reopen is None:
            message = "an archive must say how it is opened again to be pickled"
            raise TypeError(message)
        return self.reopen, ()


def tidied(name: str) -> str:
    """Return a path without what does not count: Unicode's form, `.` and doubled slashes."""
    path = str(PurePosixPath(photo_names.normal(name)))
    path = f"{path}/" if name.endswith("/") else path
    return name if path == name else path  # no second text


def fault_in_name(name: str, limits: Limits) -> str | None:
    """Find what a name must not have; Windows' rules know both separators and drives."""
    if len(name) > limits.name_characters:
        return f"path must have at most {limits.name_characters:,} characters, got {len(name):,}"
    path = PureWindowsPath(name)
    if len(path.parts) > limits.folders:
        return f"path must be at most {limits.folders} folders deep, got {len(path.parts)}"
    printed = name.removesuffix("\r") if name.endswith(_ICON) else name
    if any(unicodedata.category(character) == "Cc" for character in printed):
        return "name must have no control characters; rename it"
    if path.anchor:
        return "path must be relative; pack the folder anew"
    if ".." in path.parts:
        return "path must stay within the archive and have no ..; pack the folder anew"
    if "\\" in name:
        return "path must have / as its separator, got \\; pack the folder anew"
    if not path.parts and not name.endswith("/"):
        return "must have a name, got none; pack the folder anew"
    return None


def check_totals(where: str, packed: int, sizes: Sequence[int], limits: Limits) -> None:
    """Check what the directory says; no bytes serve two members, and none gives more than it says.

    Small members may be packed as they like, so many of them are a bomb that only the whole shows.
    """
    if len(sizes) > limits.members:
        message = f"{where}: must have at most {limits.members:,} members, got {len(sizes):,}; "
        message += "split it"
        raise DataError(message)
    if (unpacked := sum(sizes)) > (limit := limits.whole.unpacked_bytes(packed)):
        message = (
            f"{where}: must unpack to at most {limit:,} bytes, got {unpacked:,} out of {packed:,}; "
            "if it is sound, raise limits.unpacked_ratio or limits.unpacked_gb of the data set in "
            "params.yaml"
        )
        raise DataError(message)


def check_names_differ(where: str, names: Iterable[str]) -> None:
    """Check that no two names are one where case does not count; folders end in /."""
    root: _Entries = {}
    for name in names:
        parts = PurePosixPath(name).parts
        entries = root
        for depth, part in enumerate(parts, start=1):
            is_file = depth == len(parts) and not name.endswith("/")
            new: tuple[str, bool, _Entries] = (part, is_file, {})
            old = entries.setdefault(photo_names.folded(part), new)
            if old is not new and (is_file or old[:2] != (part, False)):
                beside = "/".join([*parts[: depth - 1], old[0]])
                message = (
                    f"{where}: {shown(name)}: must differ by more than case or its form in "
                    f"Unicode from every other name, got {beside} beside it; rename one"
                )
                raise DataError(message)
            entries = old[2]


def shown(name: str) -> str:
    """Return a name that is fit for an error: on one line, and not too long."""
    if len(name) > _NAME_SHOWN:
        name = f"{name[: _NAME_SHOWN // 2]}…{name[-_NAME_SHOWN // 2 :]}"
    return name if name.isprintable() else repr(name)
