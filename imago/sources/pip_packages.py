"""Packages of a Python package index, the one that pip is set up for.

pip itself refuses a package whose metadata are malformed, and would unpack what it accepts; the
files in it are all that is wanted here.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imago.core import sections
from imago.core.errors import SourceError
from imago.sources import downloads, packages, transport
from imago.sources.retries import NotFoundError, patiently
from imago.sources.store import WrongDigestError

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage, ProjectPage

PIP_SECTIONS = (":env:", "install", "global")
"""Of pip's configuration; the first that has a setting decides."""
PIP_TIMEOUT_S = 60
"""For pip to say how it is set up, which takes it a second."""
PAGE_BYTES = 2**26
"""Of an index's page of a project, at most: PyPI's longest have some 20 MB."""
ALGORITHMS = ("sha512", "sha384", "sha256", "sha1", "md5")
"""An index may give several digests of a file; the first of these is checked."""


def keep(
    project: str,
    version: str,
    digests: Collection[str],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> set[str]:
    """Keep the wanted files of a package, from the first index that has it.

    Args:
        project: The package's name.
        version: As the package's file names spell it.
        digests: sha256 of the contents that are wanted.
        limits: On the package and what it unpacks to.

    Returns:
        The digests that were found.

    Raises:
        SourceError: No index gives the package; the message says why, index by index.
    """
    settings = pip_settings()
    faults: list[str] = []
    for index in index_urls(settings):
        try:
            return _keep_from(index, project, version, digests, settings.get("cert"), limits)
        except SourceError as error:
            faults.append(f"{urlsplit(index).hostname}: {error}")
    raise SourceError("; ".join(faults) or "pip is set up without an http(s) index")


def pip_settings() -> dict[str, str]:
    """Read pip's configuration, from its files and its environment variables."""
    settings: dict[str, str] = {}
    listing = _pip_config_list()
    for section in reversed(PIP_SECTIONS):
        for line in listing:
            key, _, value = line.partition("=")
            if key.startswith(f"{section}."):
                settings[key.removeprefix(f"{section}.")] = str(ast.literal_eval(value))
    return settings


def index_urls(settings: Mapping[str, str]) -> list[str]:
    """Return the http(s) indexes in pip's order; a folder of wheels is no place for data."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # here, since it takes a quarter of a second

    main = settings.get("index-url", PYPI_SIMPLE_ENDPOINT)
    urls = [main, *settings.get("extra-index-url", "").split()]
    return [url for url in urls if url.startswith(("http://", "https://"))]


def _pip_config_list() -> list[str]:
    """Ask pip, or fall back to its environment variables where there is no pip to ask."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    for one in (command, ["pip", *command[3:]]):
        with contextlib.suppress(FileNotFoundError, subprocess.TimeoutExpired):
            run = subprocess.run(
                one, capture_output=True, text=True, check=False, timeout=PIP_TIMEOUT_S
            )
            if run.returncode == 0:
                return [line for line in run.stdout.splitlines() if "=" in line]
    return [
        f":env:.{key.removeprefix('PIP_').lower().replace('_', '-')}={value!r}"
        for key, value in os.environ.items()
        if key.startswith("PIP_")
    ]


def _keep_from(
    index: str,
    project: str,
    version: str,
    digests: Collection[str],
    certificates: str | None,
    limits: sections.Limits,
) -> set[str]:
    found: set[str] = set()
    for file in _choose(_page(index, project, certificates, limits), version):
        missing = set(digests) - found
        if not missing:
            break
        found |= downloads.fetch(
            _with_login(file.url, index),
            next((file.digests[name] for name in ALGORITHMS if name in file.digests), None),
            partial(_keep_verified, file=file, digests=missing, limits=limits),
            file.filename,
            certificates,
            limits,
        )
    return found


def _page(
    index: str, project: str, certificates: str | None, limits: sections.Limits
) -> ProjectPage:
    """Read the index's page of a project. Raises SourceError."""
    import pypi_simple

    timeout_s = (downloads.CONNECT_TIMEOUT_S, downloads.READ_TIMEOUT_S)
    bounds = transport.Bounds(PAGE_BYTES, limits.download_bytes_per_s, limits.deadline_s())
    with (
        transport.session(bounds) as session,
        pypi_simple.PyPISimple(index, session=session) as client,
    ):
        session.verify = certificates or True
        try:
            return patiently(partial(client.get_project_page, project, timeout=timeout_s), project)
        except pypi_simple.NoSuchProjectError as error:
            message = f"has no package {project}"
            raise NotFoundError(message) from error
        except (ValueError, pypi_simple.UnsupportedRepoVersionError) as error:
            message = "does not answer as a package index does"
            raise SourceError(message) from error


def _choose(page: ProjectPage, version: str) -> list[DistributionPackage]:
    """Take the wheel of the version, one for any platform if there are more, then its sdist."""
    files = sorted(page.packages, key=lambda file: ("-any." not in file.filename, file.filename))
    kinds = (
        [file for file in files if file.version == version and file.package_type == kind]
        for kind in ("wheel", "sdist")
    )
    chosen = [file for kind in kinds for file in kind[:1]]
    if not chosen:
        versions = sorted({file.version for file in files if file.version})
        message = f"has {', '.join(versions) or 'no files'} of {page.project}, not {version}"
        raise NotFoundError(message)
    return chosen


def _keep_verified(
    path: Path, file: DistributionPackage, digests: Collection[str], limits: sections.Limits
) -> set[str]:
    """Check the package against the index's digest, and keep what is wanted of it."""
    if algorithm := next((name for name in ALGORITHMS if name in file.digests), None):
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
        if found != file.digests[algorithm]:
            message = f"{algorithm} of {file.filename} is {found}, the index says "
            message += file.digests[algorithm]
            raise WrongDigestError(message)
    return packages.keep_members(path, digests, limits)


def _with_login(url: str, index: str) -> str:
    """Use the index's user and password for its own files too, as pip does."""
    target, login = urlsplit(url), urlsplit(index).netloc.rpartition("@")
    if login[1] and target.netloc == login[2]:
        return target._replace(netloc="".join(login)).geturl()
    return url
