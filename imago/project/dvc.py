"""DVC, which is opened and run from here alone; its failures, and those of remotes, as one line."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml
from dvc.exceptions import DvcException, NotDvcRepoError, PrettyDvcException
from dvc.repo import Repo
from dvc.scm import SCMError
from dvc_objects.errors import ObjectDBError
from dvc_objects.fs.errors import AuthError, ConfigError, RemoteMissingDepsError
from scmrepo.exceptions import SCMError as RepositoryError

from imago.core import paths, rwlock
from imago.core.errors import DvcError, ImagoError
from imago.project import git

_CLIENTS = {
    "asyncssh": "Error",
    "azure.core.exceptions": "AzureError",
    "botocore.exceptions": "BotoCoreError",
    "google.auth.exceptions": "GoogleAuthError",
}
"""Libraries behind remotes, and what their own errors are derived from."""


def project() -> Repo:
    """Open the DVC project in this folder; `with` closes it.

    Raises:
        DvcError: There is none, or DVC cannot open it.
    """
    try:
        return Repo(".")
    except NotDvcRepoError as error:
        message = "this folder must be a DVC project; run imago's commands in one"
        raise DvcError(message) from error
    except SCMError as error:  # as where it was downloaded as a zip
        message = "this folder must be in a git repository, as a clone is; run git init"
        raise DvcError(message) from error
    except (DvcException, OSError, ValueError) as error:  # the last of a .git that is none
        message = f"the DVC project cannot be opened: {_line(error)}; mend .dvc/config or .git"
        raise DvcError(message) from error


def require_idle() -> None:
    """Raise DvcError where a process of DVC runs stages, whose files are not to go or move."""
    if pids := rwlock.at_work(paths.RWLOCK):
        message = f"process {pids[0]} of DVC is at work; wait until it has ended, or end it"
        raise DvcError(message)


def stages_of(section: str) -> list[str]:
    """Return the names of the stages that stand once for each entry of a section of params.yaml.

    Raises:
        DvcError: dvc.yaml is broken.
    """
    try:
        stages = yaml.safe_load(Path("dvc.yaml").read_text("utf-8"))["stages"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        said = " ".join(str(error).split())
        message = f"dvc.yaml must be that of imago: {said}; `git checkout dvc.yaml` brings it back"
        raise DvcError(message) from error
    return [name for name, stage in stages.items() if stage.get("foreach") == f"${{{section}}}"]


class Out(NamedTuple):
    """What a stage makes: a path from this folder, and whether DVC keeps it and not git."""

    path: Path
    is_cached: bool


def outs() -> dict[str, list[Out]]:
    """Return what each stage of dvc.yaml makes, by its name. Raises DvcError."""
    with project() as repo, one_line():
        return {
            stage.addressing: [
                Out(Path(out.fs_path).relative_to(repo.root_dir), out.use_cache)
                for out in stage.outs
            ]
            for stage in repo.index.stages
        }


def checkout() -> None:
    """Put what dvc.lock names into the working tree, where the cache has it. Raises DvcError."""
    with project() as repo, one_line():
        repo.checkout(force=True, allow_missing=True)


@contextmanager
def one_line(where: str = "", remedy: str = "") -> Iterator[None]:
    """Turn what DVC or the client of a remote raises into a DvcError of one line.

    Args:
        where: Stands before what was raised, if anything.
        remedy: Stands behind it, if anything.
    """
    try:
        yield
    except ImagoError:
        raise
    except _failures() as error:
        message = f"{where}: {_line(error)}" if where else _line(error)
        raise DvcError(f"{message}; {remedy}" if remedy else message) from error


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep what DVC warns of from the terminal, such as each artifact that nobody has made yet."""
    logger = logging.getLogger("dvc")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def run(*arguments: str, root: Path = Path()) -> None:
    """Run a dvc command in a project; it prints what it prints. Raises DvcError if it fails."""
    found = subprocess.run(_command(arguments), cwd=root, env=_environment(), check=False)
    if found.returncode:
        message = f"dvc {' '.join(arguments)} failed; its error is above"
        raise DvcError(message)


def run_silently(*arguments: str) -> None:
    """Run a dvc command. Raises DvcError with the line in which it says what is wrong."""
    found = subprocess.run(
        _command(arguments), env=_environment(), capture_output=True, check=False
    )
    if found.returncode:
        said = _fault(found.stderr.decode(errors="backslashreplace"))
        raise DvcError(said or f"dvc {' '.join(arguments)} failed without a word")


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "dvc", *arguments]


def _environment() -> dict[str, str]:
    """Return an environment in which `dvc` and `python` are those that run this, if not activated.

    DVC starts the workers of its queue by the one name, and stages by the other.
    """
    found = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    return {**git.identity(), **os.environ, "PATH": os.pathsep.join(found)}


def _fault(printed: str) -> str:
    """Choose the line in which dvc says what is wrong."""
    for line in printed.splitlines():
        if line.startswith("ERROR: "):
            return line.removeprefix("ERROR: ").removeprefix("unexpected error - ")
    return printed.strip()


def _failures() -> tuple[type[Exception], ...]:
    """Return what DVC raises; a client that was not imported cannot have raised anything."""
    of_clients = [
        getattr(sys.modules[module], name)
        for module, name in _CLIENTS.items()
        if module in sys.modules
    ]
    of_files = (ObjectDBError, AuthError, ConfigError, RemoteMissingDepsError)
    of_dvc = (DvcException, RepositoryError, *of_files)
    return (OSError, ImportError, *of_dvc, *of_clients)  # DVC has it so where an extra is missing


def _chain(error: BaseException | None) -> str:
    """Return what an error and all that it comes from say."""
    said = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    return " ".join(said)


def _line(error: Exception) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    said = _chain(error)
    is_broken = f"{paths.LOCK}'" in said and not isinstance(error, OSError)
    if is_broken:  # 'dvc.lock' where it is no YAML, './dvc.lock' if not DVC's
        where = "" if str(paths.LOCK) in line else f"{paths.LOCK} is broken: "
        return f"{where}{line}; `imago check` says what to do"
    if f"'{paths.PARAMS}'" in said:
        return f"{line}; `imago check` says where"
    if isinstance(error, PrettyDvcException):  # of a YAML file, and the place is not in it
        return f"{line}; `dvc stage list` shows where"
    return line
