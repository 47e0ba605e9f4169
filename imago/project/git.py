"""What git says of revisions; in the folder of the project."""

import subprocess

from imago.core.errors import GateError

MAINS = ("main", "origin/main")


def run(*arguments: str) -> bytes | None:
    """Return what a git command prints, or nothing if it fails."""
    try:
        found = subprocess.run(["git", *arguments], capture_output=True, check=False)
    except FileNotFoundError as error:
        message = "git: not found; install it"
        raise GateError(message) from error
    return found.stdout if found.returncode == 0 else None


def require_repository() -> None:
    """Raise GateError outside of a git repository."""
    if run("rev-parse", "--git-dir") is None:
        message = "this folder must be in a git repository, for revisions to compare; run git init"
        raise GateError(message)


def commit(revision: str) -> str | None:
    """Return the hash of the commit that a name means, that of a DVC experiment too, or nothing."""
    found = run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not found:
        found = run("for-each-ref", "--format=%(objectname)", f"refs/exps/*/*/{revision}")
    return found.decode().split()[0] if found else None


def merge_base_with_main(tip: str) -> str:
    """Return the hash of the newest commit that `tip` shares with the main branch.

    With the local branch or that of the remote `origin`, whichever shares a newer one.

    Raises:
        GateError: There is none, as in a clone that is shallow or has one branch only.
    """
    mains = [name for name in MAINS if commit(name)]
    found = run("merge-base", tip, *mains) if mains else None
    if found:
        return found.decode().strip()
    what = f"has no commit in common with {' or '.join(mains)}" if mains else "has no branch main"
    shallow = (run("rev-parse", "--is-shallow-repository") or b"").strip() == b"true"
    remedy = (
        "fetch the whole history (git fetch --unshallow origin, fetch-depth: 0 in GitHub Actions)"
        if shallow
        else "fetch it (git fetch origin main:refs/remotes/origin/main)"
    )
    clone = "this clone, which is shallow," if shallow else "this clone"
    message = f"{clone} {what}, to compare with; {remedy} or name a base with --base"
    raise GateError(message)


def read(commit: str, path: str) -> bytes | None:
    """Return a file of a commit, or nothing if it has none; `path` is relative to this folder."""
    return run("show", f"{commit}:./{path}")
