"""git, which is called from here alone; in the folder of the project."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from imago.core.errors import GitError

MAINS = ("main", "origin/main")


def require_repository() -> None:
    """Raise GitError outside of a git repository."""
    if _printed("rev-parse", "--git-dir") is None:
        message = "this folder must be in a git repository, for revisions to compare; run git init"
        raise GitError(message)


def commit(revision: str) -> str | None:
    """Return the hash of the commit that a name means, that of a DVC experiment too, or nothing."""
    name = f"{revision}^{{commit}}"
    found = _printed("rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if not found:
        found = _printed("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{revision}")
    return found.decode().split()[0] if found else None


def head() -> str:
    """Return the hash of the commit that is checked out. Raises GitError if there is none."""
    return _demanded("rev-parse", "HEAD").strip()


def merge_base_with_main(tip: str) -> str:
    """Return the hash of the newest commit that `tip` shares with the main branch.

    With the local branch or that of the remote `origin`, whichever shares a newer one.

    Raises:
        GitError: There is none, as in a clone that is shallow or has one branch only.
    """
    mains = [name for name in MAINS if commit(name)]
    found = _printed("merge-base", tip, *mains) if mains else None
    if found:
        return found.decode().strip()
    what = f"has no commit in common with {' or '.join(mains)}" if mains else "has no branch main"
    shallow = (_printed("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
    remedy = (
        "fetch the whole history (git fetch --unshallow origin, fetch-depth: 0 in GitHub Actions)"
        if shallow
        else "fetch it (git fetch origin main:refs/remotes/origin/main)"
    )
    clone = "this clone, which is shallow," if shallow else "this clone"
    message = f"{clone} {what}, to compare with; {remedy} or name a base with --base"
    raise GitError(message)


def read(commit: str, path: str) -> bytes | None:
    """Return a file of a commit, or nothing if it has none; `path` is relative to this folder."""
    return _printed("show", f"{commit}:./{path}")


def changed() -> list[str]:
    """Return the files that git tracks and that differ from the commit. Raises GitError."""
    lines = _demanded("diff", "--name-only", "-z", "HEAD", "--").split("\0")
    return [line for line in lines if line]


def differs(revision: str, *paths: str) -> bool:
    """Tell whether files of the working tree, tracked or not, are not those of a revision."""
    return any(
        _printed("rev-parse", "--verify", "--quiet", f"{revision}:./{path}")
        != _printed("hash-object", "--", path)
        for path in paths
    )


def files() -> list[str]:
    """Return the files that git tracks or would, relative to this folder. Raises GitError."""
    names = _demanded("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    return [name for name in names.split("\0") if name]


def unknown(paths: Iterable[Path]) -> list[str]:
    """Return the files at paths, or in them, that git neither tracks nor ignores.

    None where there is no repository.
    """
    ask = ("--literal-pathspecs", "ls-files", "--others", "--exclude-standard", "-z", "--")
    names = os.fsdecode(_printed(*ask, *map(os.fspath, paths)) or b"")
    return [name for name in names.split("\0") if name]


def begin(folder: Path) -> None:
    """Make a folder a repository of its own. Raises GitError."""
    _demanded("init", "--quiet", os.fspath(folder))


def identity() -> dict[str, str]:
    """Return who commits, as variables of the environment; imago where git does not know.

    DVC makes commits of its own for experiments, by a library that does not look everywhere.
    """
    known = {"name": "imago", "email": "imago@localhost"}
    for key in known:
        if found := _printed("config", f"user.{key}"):
            known[key] = os.fsdecode(found).strip()
    roles = ("AUTHOR", "COMMITTER")
    return {f"GIT_{role}_{key.upper()}": known[key] for role in roles for key in known}


def commits_of(path: str) -> list[str]:
    """Return the commits, of any branch, tag or experiment, that change a file."""
    return _demanded("log", "--all", "--format=%H", "--", path).split()


def experiments(commit: str) -> dict[str, str]:
    """Return the revisions of DVC experiments that stand on a commit, by their names."""
    refs = f"refs/exps/{commit[:2]}/{commit[2:]}/"
    lines = _demanded("for-each-ref", "--format=%(objectname) %(refname)", refs).splitlines()
    return {ref.removeprefix(refs): revision for revision, ref in map(str.split, lines)}


class Merge(NamedTuple):
    """What git is about to bring together, each as the hash of a commit."""

    ours: str
    theirs: str
    base: str
    conclusion: str
    """The command that ends it."""


def merge() -> Merge:
    """Return what is being merged, rebased, picked or reverted. Raises GitError if nothing is."""
    ours = head()
    if (undone := commit("REVERT_HEAD")) and (before := commit(f"{undone}^")):
        return Merge(ours, before, undone, "git revert --continue")
    for name, conclusion in (
        ("MERGE_HEAD", "git commit"),
        ("REBASE_HEAD", "git rebase --continue"),
        ("CHERRY_PICK_HEAD", "git cherry-pick --continue"),
    ):
        if theirs := commit(name):
            base = _printed("merge-base", ours, theirs) if name == "MERGE_HEAD" else None
            found = base.decode().strip() if base else f"{theirs}^"
            return Merge(ours, theirs, found, conclusion)
    message = "there must be a merge that has stopped over conflicts, and there is none"
    if names := unmerged():  # of `git merge --squash` or `git stash pop`
        message = (
            f"of the conflicts in {names[0]} git does not say with which commit; undo them with "
            "`git reset --merge`, then `git merge BRANCH`, or, of a stash, `git cherry-pick -m 1 "
            "stash`"
        )
    raise GitError(message)


def unmerged() -> list[str]:
    """Return the files that git could not merge, relative to this folder. Raises GitError."""
    names = _demanded("diff", "--name-only", "--diff-filter=U", "--relative", "-z")
    return [name for name in names.split("\0") if name]


def has(revision: str, path: str) -> bool:
    """Tell whether a revision has a file or a folder; `path` is relative to this folder."""
    return _printed("cat-file", "-e", f"{revision}:./{path}") is not None


def take(revision: str, *paths: str) -> None:
    """Put files of a revision into the working tree and the index. Raises GitError."""
    _demanded("checkout", revision, "--", *paths)


def add(*paths: str) -> None:
    """Put files into the index. Raises GitError."""
    _demanded("add", "--", *paths)


def remove(*paths: str) -> None:
    """Take files out of the index and the working tree. Raises GitError."""
    if paths:
        _demanded("rm", "--quiet", "--force", "--ignore-unmatch", "--", *paths)


def _printed(*arguments: str) -> bytes | None:
    """Return what a git command prints, or nothing if it fails."""
    found = _run(arguments)
    return found.stdout if found.returncode == 0 else None


def _demanded(*arguments: str) -> str:
    """Return what a git command prints. Raises GitError if it fails."""
    found = _run(arguments)
    if found.returncode:
        message = f"git {' '.join(arguments)}: {' '.join(os.fsdecode(found.stderr).split())}"
        raise GitError(message)
    return os.fsdecode(found.stdout)


def _run(arguments: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        message = "git: not found; install it"
        raise GitError(message) from error
