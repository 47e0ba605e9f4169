"""What a revision has of each experiment: parameters, metrics and predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from imago import params
from imago.core import paths, strict_yaml
from imago.core.errors import DataError, DvcError, GateError, ParamsError
from imago.project import git, lock
from imago.project.stores import MissingError, Storage, digest
from imago.scoring import predictions, summary
from imago.scoring.predictions import Predictions

AGREEMENT = 1e-6
"""How far apart two values of a metric may be, and be taken for the same."""
FORMER = ".csv"
"""Ends the name of predictions that an earlier version has written."""


class _Lenient(BaseModel):
    """Of a params.yaml that may be older or newer than this code."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _Experiment(_Lenient):
    floors: dict[params.Floored, params.Share] | None = None


class LenientParams(_Lenient):
    """What the gate reads of params.yaml."""

    seed: int
    experiments: dict[str, _Experiment]
    gate: params.Gate | None = None

    def floors(self, experiment: str) -> Mapping[params.Floored, float]:
        """Return the floors of an experiment, of which there may be none."""
        return self.experiments[experiment].floors or {}


class Tree(Protocol):
    """Files as a revision has them; paths are relative to the project."""

    @property
    def label(self) -> str:
        """What a person calls it."""

    @property
    def commit(self) -> str | None:
        """The hash of its commit, if it is one."""

    def read(self, path: Path) -> bytes | None:
        """Return a file's content, or nothing if there is no such file."""


@dataclass(frozen=True)
class Commit:
    """The files of a commit."""

    label: str
    commit: str

    def read(self, path: Path) -> bytes | None:
        """Return a file's content, or nothing if git has no such file there."""
        return git.read(self.commit, path.as_posix())


@dataclass(frozen=True)
class WorkingTree:
    """The files of this folder as they are now."""

    label: str = "the working tree"
    commit: None = None

    def read(self, path: Path) -> bytes | None:
        """Return a file's content, or nothing if there is no such file."""
        return path.read_bytes() if path.is_file() else None


@dataclass(frozen=True)
class Evidence:
    """What a revision has of an experiment, complete and consistent."""

    metrics: Mapping[str, float]
    predictions: Predictions


class Revision:
    """The experiments of a revision. Raises GateError where it has no sound params.yaml."""

    def __init__(self, tree: Tree, storage: Storage) -> None:
        self.tree = tree
        self._storage = storage
        self.params = read_params(tree)

    def has_run(self, experiment: str) -> bool:
        """Tell whether the experiment was ever evaluated."""
        path = self.predictions_path(experiment)
        return (
            path.as_posix() in self._digests
            or self.tree.read(paths.metrics(experiment)) is not None
            or self.tree.read(path) is not None
        )

    def evidence(self, experiment: str) -> Evidence:
        """Read metrics and predictions.

        Raises:
            DataError: One of them is missing or damaged, or they contradict each other; says the
                command that would bring it.
        """
        metrics, answers = self.metrics(experiment), self._predictions(experiment)
        accuracy = float(answers.right.mean())
        if abs(metrics["accuracy"] - accuracy) > AGREEMENT:
            message = (
                f"{self._named(paths.metrics(experiment))}: accuracy must be that of "
                f"{self.predictions_path(experiment)}, {accuracy:.4f}, "
                f"got {metrics['accuracy']:.4f}; {self._again(experiment)}"
            )
            raise DataError(message)
        return Evidence(metrics, answers)

    def predictions_path(self, experiment: str) -> Path:
        """Return which file has the predictions: of earlier versions, a CSV file."""
        path = paths.predictions(experiment)
        both = (path, path.with_suffix(FORMER))
        named = (one for one in both if one.as_posix() in self._digests)
        there = (one for one in both if self.tree.read(one) is not None)
        return next(named, None) or next(there, path)

    def predictions_md5(self, experiment: str) -> str | None:
        """Return the digest of the predictions: of the file, else that which dvc.lock names."""
        path = self.predictions_path(experiment)
        content = self.tree.read(path)
        return self._digests.get(path.as_posix()) if content is None else digest(content)

    def is_of_lock(self, path: Path) -> bool:
        """Tell whether a file is the one that dvc.lock names, if it is there and is named."""
        content, md5 = self.tree.read(path), self._digests.get(path.as_posix())
        return content is None or md5 is None or digest(content) == md5

    def require_metrics_of_lock(self, experiment: str) -> None:
        """Raise DataError where the metrics were changed since they were computed."""
        path = paths.metrics(experiment)
        if not self.is_of_lock(path):
            message = (
                f"{self._named(path)} must be the one that {lock.NAME} names, got another; "
                f"{self._again(experiment)}"
            )
            raise DataError(message)

    def metrics(self, experiment: str) -> dict[str, float]:
        """Read the metrics. Raises DataError as `evidence`."""
        path = paths.metrics(experiment)
        content = self.tree.read(path)
        if content is None:
            message = f"{self._named(path)} is missing; {self._again(experiment)}"
            raise DataError(message)
        try:
            return summary.parse(content, self._named(path))
        except DataError as error:
            message = f"{error}; {self._again(experiment)}"
            raise DataError(message) from error

    def _predictions(self, experiment: str) -> Predictions:
        path = self.predictions_path(experiment)
        content = self.tree.read(path)
        if content is None:
            md5 = self._digests.get(path.as_posix())
            if md5 is None:
                message = (
                    f"{self._named(path)} is missing, and {lock.NAME} does not name it; "
                    f"{self._again(experiment)}"
                )
                raise DataError(message)
            try:
                content = self._storage.read(md5)
            except MissingError as error:
                message = f"{self._named(path)} is missing: {error}; {self._bring(experiment)}"
                raise DataError(message) from error
            except DvcError as error:
                command = f"dvc pull {path}" if self.tree.commit is None else "imago gate"
                message = f"{self._named(path)} is missing: {error}, and run `{command}` again"
                raise DataError(message) from error
        try:
            return predictions.parse(content, self._named(path))
        except DataError as error:
            message = f"{error}; {self._again(experiment)}"
            raise DataError(message) from error

    @cached_property
    def _digests(self) -> dict[str, str]:
        """The md5 of each out in dvc.lock, by its path."""
        return lock.digests(self.tree.read(Path(lock.NAME)), self._named(Path(lock.NAME)))

    def _named(self, path: Path) -> str:
        return f"{path} of {self.tree.label}" if self.tree.commit else str(path)

    def _again(self, experiment: str) -> str:
        """Say how the evaluation is run again, and so recorded anew."""
        if self.tree.commit is None:
            return f"run `dvc repro evaluate@{experiment}`"
        return f"run `dvc repro evaluate@{experiment}` there and commit what it writes"

    def _bring(self, experiment: str) -> str:
        """Say how what dvc.lock names is had."""
        path = self.predictions_path(experiment)
        if self.tree.commit is None:
            return f"run `dvc pull {path}` or `dvc repro evaluate@{experiment}`"
        return (
            f"run `dvc push --all-commits {path}` where it was made, or here "
            f"`git switch --detach {self.tree.commit[:7]} && dvc repro evaluate@{experiment}`"
        )


def read_params(tree: Tree) -> LenientParams:
    """Read what the gate needs of params.yaml. Raises GateError, ParamsError."""
    content = tree.read(paths.PARAMS)
    if content is None:
        message = f"{tree.label} has no {paths.PARAMS} in this folder; choose another revision"
        raise GateError(message)
    where = f"{paths.PARAMS} of {tree.label}"
    try:
        raw: Any = strict_yaml.read(content.decode())
        return LenientParams.model_validate(raw)
    except ValidationError as error:
        fault = error.errors()[0]
        message = f"{where}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"
        raise ParamsError(message) from error
    except ValueError as error:
        message = f"{where}: must be YAML: {error}"
        raise ParamsError(message) from error
