"""Packages of Debian and Ubuntu, without root and without touching the system."""

import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO

from imago.core import paths, sections
from imago.core.errors import SourceError
from imago.sources import packages, store
from imago.sources.kinds import redacted

log = logging.getLogger(__name__)

TIMEOUT_S = 30

CONFIGURATION = """\
Dir::State "{folder}";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{folder}";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "{timeout_s}";
Acquire::https::Timeout "{timeout_s}";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
"""apt-get writes to folders of its own here. Hooks are cleared: they tidy the system's folders,
which is not ours to do and fails without root. The sandbox's user could not write to ours."""


def keep(
    package: str,
    digests: Collection[str],
    limits: sections.Limits = sections.DEFAULT_LIMITS,
) -> set[str]:
    """Keep the wanted files of a package, and all its files as one tar where that is wanted.

    Args:
        package: The package's name; the newest version that the system's sources offer is taken.
        digests: sha256 of the contents that are wanted: of files in it, plain or gzipped, or of
            the tar that `dpkg-deb --fsys-tarfile` makes of it.
        limits: On the time, and on what gzips in the package unpack to.

    Returns:
        The digests that were found.

    Raises:
        SourceError: There is no apt-get here, or it does not give the package.
    """
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            message = f"{tool} is not on this machine"
            raise SourceError(message)
    # A folder that stays only when this process is killed: apt-get goes on with what it had.
    folder = (paths.downloads() / f"apt-{package}").absolute()
    content = folder / "content"
    deadline_s = limits.deadline_s()
    shutil.rmtree(content, ignore_errors=True)
    try:
        archive = _download(package, folder, deadline_s)
        _run(["dpkg-deb", "--extract", str(archive), str(content)], archive.parent, deadline_s)
        found = packages.keep_tree(content, digests, limits)
        if rest := set(digests) - found:
            found |= _keep_whole(archive, rest, limits, deadline_s)
    except SourceError:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
    return found


def _download(package: str, folder: Path, deadline_s: float) -> Path:
    """Let apt-get read the system's sources and download the .deb, which it verifies."""
    for name in ("lists/partial", "archives/partial", "package"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    configuration = folder / "apt.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, timeout_s=TIMEOUT_S), "utf-8")
    apt_get = ["apt-get", f"--config-file={configuration}"]
    log.info("apt-get reads the package lists and downloads %s", package)
    # Sources that cannot be read are warnings to apt-get; they explain a package that is missing.
    warnings = _run([*apt_get, "update"], folder, deadline_s)
    _run([*apt_get, "download", package], folder / "package", deadline_s, warnings)
    archive = next((folder / "package").glob("*.deb"), None)
    if archive is None:
        message = "apt-get gave no package"
        raise SourceError(message)
    return archive


def _keep_whole(
    archive: Path, digests: Collection[str], limits: sections.Limits, deadline_s: float
) -> set[str]:
    whole = archive.with_suffix(".tar")
    with whole.open("wb") as file:
        command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        _run(command, archive.parent, deadline_s, output=file)
    return packages.keep_wanted([store.opener(whole)], digests, limits)


def _run(
    command: list[str],
    folder: Path,
    deadline_s: float,
    reasons: list[str] | None = None,
    output: IO[bytes] | None = None,
) -> list[str]:
    """Run a command and return its warnings.

    Raises:
        SourceError: It failed, or took longer than it may; the message holds `reasons` known
            before and its own errors.
    """
    try:
        run = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            # On a terminal apt-get shows how far it has come.
            stdout=output or (None if sys.stdout.isatty() else subprocess.DEVNULL),
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=max(0.0, deadline_s - time.monotonic()),
        )
    except subprocess.TimeoutExpired as error:
        message = f"{command[0]} takes longer than limits.download_hours of params.yaml"
        raise SourceError(message) from error
    lines = [" ".join(map(redacted, line.split(" "))) for line in run.stderr.splitlines()]
    if run.returncode:
        errors = [line for line in lines if not line.startswith("W:")] or lines
        told = dict.fromkeys([*(reasons or []), *errors])
        raise SourceError("; ".join(told) or f"{command[0]} ended with exit code {run.returncode}")
    return [line for line in lines if line.startswith("W:")]
