"""What a name says: a photo, or what lies beside photos; one rule for all that look into folders.

A path has / between its folders, and begins below what was given: that may lie in a hidden folder.
"""

import functools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".jfif", ".jpe", ".jpeg", ".jpg"}
    | {".png", ".tif", ".tiff", ".webp"}
)
"""Of files, in lower case, that say: this is a photo."""

SYSTEM, HIDDEN = "left by an operating system", "hidden, or in a hidden folder"
UNREAD, ARCHIVE = "a photo or film of a kind that is not read", "an archive"
NO_PHOTO = "no image by its name"
"""Reasons why a file is left out."""

_LEFT_BY_SYSTEMS = frozenset(
    # Windows
    {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "picasa.ini", "$recycle.bin"}
    | {"system volume information", "found.000"}
    # macOS, whose folders with an icon of their own hold "Icon" and a carriage return
    | {"__macosx", ".ds_store", "_ds_store", "icon\r", ".appledouble", ".trashes", ".fseventsd"}
    | {".spotlight-v100", ".localized", ".apdisk", "network trash folder", "temporary items"}
    # Linux, and the disks of Synology and QNAP in a network
    | {"lost+found", ".directory", ".thumbnails", "@eadir", "#recycle", "#snapshot", "@recycle"}
    | {"@recently-snapshot", ".@__thumb", "@__thumb", "@tmp"}
)
_RESOURCE_FORK = "._"
"""Begins the name of a file in which macOS keeps what other file systems have no place for."""
_ZONE = ":zone.identifier"
"""Ends the name of a file that says where Windows has another one from."""
_UNREAD = frozenset(
    {".3fr", ".ai", ".arw", ".cr2", ".cr3", ".crw", ".cur", ".dcm", ".dib", ".dng", ".eps", ".erf"}
    | {".exr", ".fits", ".hdr", ".heics", ".heifs", ".icns", ".ico", ".j2k", ".jp2", ".jpf", ".jpx"}
    | {".jxl", ".jxr", ".kdc", ".mef", ".mng", ".mrw", ".nef", ".nrw", ".orf", ".pbm", ".pcx"}
    | {".pef", ".pgm", ".pnm", ".ppm", ".psb", ".psd", ".qoi", ".raf", ".raw", ".rw2", ".sr2"}
    | {".srw", ".svg", ".tga", ".wdp", ".x3f", ".xcf", ".3gp", ".avi", ".m4v", ".mkv", ".mov"}
    | {".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv"}
)
_ARCHIVES = frozenset(
    {".7z", ".bz2", ".gz", ".iso", ".lz4", ".rar", ".tar", ".tbz2", ".tgz", ".txz", ".xz", ".zip"}
    | {".zst"}
)
_DOCUMENTS = frozenset(
    {".bib", ".cfg", ".csv", ".doc", ".docx", ".h5", ".htm", ".html", ".ini", ".ipynb", ".json"}
    | {".jsonl", ".log", ".mat", ".md", ".npy", ".npz", ".odt", ".parquet", ".pdf", ".pkl", ".ppt"}
    | {".pptx", ".pt", ".py", ".rst", ".rtf", ".sh", ".sql", ".tex", ".toml", ".tsv", ".txt"}
    | {".xls", ".xlsx", ".xml", ".yaml", ".yml"}
)


def reason_against(path: str) -> str | None:
    """Say why a file is no photo to be used; None for a photo."""
    folder, _, name = path.rpartition("/")
    if folder and (reason := _reason_against_folders(folder)):
        return reason
    lower = name.lower()
    if lower in _LEFT_BY_SYSTEMS or lower.startswith(_RESOURCE_FORK) or lower.endswith(_ZONE):
        return SYSTEM
    if lower.startswith("."):
        return HIDDEN
    suffix = _suffix(lower)
    if suffix in SUFFIXES:
        return None
    if suffix in _UNREAD:
        return f"{UNREAD}: {suffix}"
    return ARCHIVE if suffix in _ARCHIVES else NO_PHOTO


@functools.cache
def _reason_against_folders(path: str) -> str | None:
    return next(filter(None, map(reason_against_folder, path.split("/"))), None)


def _suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return dot + suffix if stem and "/" not in suffix else ""


def reason_against_folder(name: str) -> str | None:
    """Say why no file in a folder, and below, is a photo to be used; None where some may be."""
    if name.lower() in _LEFT_BY_SYSTEMS:
        return SYSTEM
    return HIDDEN if name.startswith(".") and name.strip(".") else None


def is_document(path: str) -> bool:
    """Tell a file that nobody takes for a photo, such as a table or a text, by its name."""
    return _suffix(path.lower()) in _DOCUMENTS


def normal(name: str) -> str:
    """Return a name in the Unicode form in which equal ones are equal (NFC)."""
    return unicodedata.normalize("NFC", name)


def folded(name: str) -> str:
    """Return what names have in common that differ in case or Unicode form alone."""
    return normal(unicodedata.normalize("NFD", name).casefold())


def listed(names: Sequence[str], shown: int = 3) -> str:
    """Say a few of many names."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more:,} more" if more > 0 else "")


def by_reason(reasons: Iterable[str], shown: int = 5) -> str:
    """Count reasons without their details, such as `9 truncated, 3 empty`, frequent ones first."""
    counts = Counter(reason.split(": ")[0] for reason in reasons).most_common()
    rest = sum(count for _, count in counts[shown:])
    parts = [f"{count:,} {reason}" for reason, count in counts[:shown]]
    return ", ".join([*parts, f"{rest:,} for other reasons"] if rest else parts)
