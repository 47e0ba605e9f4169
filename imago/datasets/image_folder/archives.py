"""Zip files of unknown origin, read within bounds.

What makes a zip dangerous stands in its directory, which is checked as a whole before a member is
decompressed. Nothing is written anywhere. A directory that lies is an error when the member that
it lies about is read.
"""

import contextlib
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, TypeAlias
from zipfile import ZipFile, ZipInfo

from imago.core import sections
from imago.core.errors import DataError

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20
"""Flags. Source of these and of the header: PKWARE, APPNOTE.TXT 6.3.10, sections 4.4.4, 4.3.7."""
_LEAST_HEADER_BYTES = 30
"""Before the data of each member."""
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What nearly all zips use; zipfile does not bound the memory that others unpack to."""
_SPECIAL_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}

DAMAGE = (
    EOFError,
    NotImplementedError,  # a version of zip, or a patch, that Python does not know
    OverflowError,  # a place in the file that no file has
    ValueError,  # the same, or a name that is not in its encoding
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What zipfile raises over what is no whole zip."""
_NAME_SHOWN = 200

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


@contextlib.contextmanager
def opened(path: Path, limits: Limits = GENEROUS) -> Iterator[tuple[ZipFile, list[ZipInfo]]]:
    """Open a zip file whose directory keeps the rules.

    Yields:
        The archive, and its files, without folders, sorted by name. Names are relative, with / as
        the separator, and no two differ by case or Unicode form alone. To be read with `read`, in
        any number of threads.

    Raises:
        DataError: The file is missing or is not a whole zip file, or its directory breaks a rule.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        message = f"{path}: not found; put the zip file there"
        raise DataError(message) from error
    with file, _directory(path, file) as archive:
        members = archive.infolist()
        for member in members:
            if fault := _fault_in_name(member, limits) or _fault_in_content(member, limits):
                message = f"{path}: {_shown(member)}: {fault}"
                raise DataError(message)
        _check_totals(path, members, limits)
        _check_names_differ(path, members)
        _check_data_are_apart(path, archive)
        files = (member for member in members if not member.is_dir())
        yield archive, sorted(files, key=lambda member: member.filename)


def read(archive: ZipFile, member: ZipInfo) -> bytes:
    """Decompress a member; memory is bounded by the size that the directory says.

    Raises:
        DataError: The member is truncated or damaged, or is not what the directory says.
    """
    try:
        with archive.open(member) as stream:
            content = stream.read(member.file_size + 1)  # and not all that there may be
    except DAMAGE as error:
        reason = str(error) or "its data end early"
        message = f"{archive.filename}: {_shown(member)}: must be whole: {reason}; get the zip anew"
        raise DataError(message) from error
    if len(content) != member.file_size:
        message = (
            f"{archive.filename}: {_shown(member)}: must unpack to {member.file_size:,} bytes, as "
            f"the directory says, got {len(content):,}; get the zip anew"
        )
        raise DataError(message)
    return content


def _directory(path: Path, file: BinaryIO) -> ZipFile:
    try:
        return ZipFile(file)
    except DAMAGE as error:
        message = f"{path}: must be a whole zip file: {error}; get it anew"
        raise DataError(message) from error


def _check_totals(path: Path, members: list[ZipInfo], limits: Limits) -> None:
    """Check what the directory says; no bytes serve two members, and none gives more than it says.

    Small members may be packed as they like, so many of them are a bomb that only the whole shows.
    """
    if len(members) > limits.members:
        message = f"{path}: must have at most {limits.members:,} members, got {len(members):,}; "
        message += "split it"
        raise DataError(message)
    packed, unpacked = path.stat().st_size, sum(member.file_size for member in members)
    if unpacked > (limit := limits.whole.unpacked_bytes(packed)):
        message = (
            f"{path}: must unpack to at most {limit:,} bytes, got {unpacked:,} out of {packed:,}; "
            "if it is sound, raise limits.unpacked_ratio or limits.unpacked_gb of the data set in "
            "params.yaml"
        )
        raise DataError(message)


def _fault_in_name(member: ZipInfo, limits: Limits) -> str | None:
    """Find what a name must not have; Windows' rules know both separators and drives."""
    name = member.orig_filename  # zipfile's own ends at a zero byte
    if len(name) > limits.name_characters:
        return f"path must have at most {limits.name_characters:,} characters, got {len(name):,}"
    path = PureWindowsPath(name)
    if len(path.parts) > limits.folders:
        return f"path must be at most {limits.folders} folders deep, got {len(path.parts)}"
    if any(unicodedata.category(character) == "Cc" for character in name):
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


def _fault_in_content(member: ZipInfo, limits: Limits) -> str | None:
    packed, unpacked = member.compress_size, member.file_size
    if kind := _SPECIAL_KINDS.get(stat.S_IFMT(member.external_attr >> 16)):
        return f"must be a file or a folder, got {kind}; leave it out"
    if member.flag_bits & _ENCRYPTED:
        return "must not be encrypted; pack the folder anew, without a password"
    if member.compress_type not in _COMPRESSIONS or member.flag_bits & _PATCHED:
        return (
            f"must be stored or deflated, got compression method {member.compress_type}; "
            "pack the folder anew"
        )
    if member.compress_type == zipfile.ZIP_STORED and packed != unpacked:
        return f"must be {packed:,} bytes long as it is stored, got {unpacked:,}; get the zip anew"
    if unpacked > limits.member_bytes:
        return (
            f"must unpack to at most {limits.member_bytes:,} bytes, got {unpacked:,}; leave it out"
        )
    if unpacked > max(limits.ratio_from_bytes, limits.ratio * packed):
        return (
            f"must unpack to at most {limits.ratio:g} times its {packed:,} bytes, got "
            f"{unpacked:,}; leave it out"
        )
    return None


def _check_names_differ(path: Path, members: list[ZipInfo]) -> None:
    """Check that no two names are one where case does not count, be they files or folders."""
    root: _Entries = {}
    for member in members:
        parts = PurePosixPath(member.filename).parts
        entries = root
        for depth, part in enumerate(parts, start=1):
            is_file = depth == len(parts) and not member.is_dir()
            new: tuple[str, bool, _Entries] = (part, is_file, {})
            old = entries.setdefault(_folded(part), new)
            if old is not new and (is_file or old[:2] != (part, False)):
                beside = "/".join([*parts[: depth - 1], old[0]])
                message = (
                    f"{path}: {_shown(member)}: must differ by more than case from every other "
                    f"name, got {beside} beside it; rename one"
                )
                raise DataError(message)
            entries = old[2]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _check_data_are_apart(path: Path, archive: ZipFile) -> None:
    """Check that no bytes are the data of two members, as in some zip bombs, or lie outside."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    starts = [member.header_offset for member in members]
    for member, limit in zip(members, [*starts, archive.start_dir][1:], strict=True):
        start = member.header_offset
        end = start + _LEAST_HEADER_BYTES + member.compress_size
        if start < 0 or end > limit:
            message = (
                f"{path}: {_shown(member)}: data must lie between bytes 0 and {limit:,}, where the "
                f"next begin, got {start:,} to {end:,}; get the zip anew"
            )
            raise DataError(message)


def _shown(member: ZipInfo) -> str:
    name = member.orig_filename
    if len(name) > _NAME_SHOWN:
        name = f"{name[: _NAME_SHOWN // 2]}…{name[-_NAME_SHOWN // 2 :]}"
    return name if name.isprintable() else repr(name)
