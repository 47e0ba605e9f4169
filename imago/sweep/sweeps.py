"""A search: its trials, which of them have run, and what these came to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imago import params
from imago.core import paths, sections
from imago.core.errors import SweepError
from imago.data import arrays
from imago.project import git
from imago.sweep import ranking, runs, space, trials
from imago.sweep.ranking import TrialScore
from imago.sweep.space import Trial


@dataclass(frozen=True)
class Sweep:
    """A search for hyperparameters of an experiment.

    Attributes:
        experiment: Its name.
        commit: On which the trials stand.
        trials: By the names of their experiments of DVC.
        trainings: The section `train` that each of them has.
    """

    experiment: str
    commit: str
    trials: Mapping[str, Trial]
    trainings: Mapping[str, sections.Train]

    def missing(self) -> dict[str, Trial]:
        """Return the trials that have not run, by their names."""
        done = self._done()
        return {name: trial for name, trial in self.trials.items() if name not in done}

    def run(self, jobs: int) -> None:
        """Run what is missing, `jobs` at a time. Raises DvcError."""
        runs.queue(self.experiment, self.missing())
        runs.run_queue(jobs)

    def ranked(self) -> list[TrialScore]:
        """Return what the trials came to that have run, the best first. Raises SweepError."""
        done = self._done()
        return ranking.ranked(
            ranking.score(name, runs.history(self.experiment, name, done[name]), training)
            for name, training in self.trainings.items()
            if name in done
        )

    def apply(self, name: str) -> None:
        """Put a trial into the working tree. Raises DvcError."""
        runs.apply(self.experiment, self.trials[name], self._done()[name])

    def _done(self) -> dict[str, str]:
        """Return the revision of each trial that has run, by its name.

        Raises:
            SweepError: One was made of other values than those of which it has the name.
        """
        found = git.experiments(self.commit)
        done = {name: found[name] for name in self.trials if name in found}
        for name, revision in done.items():
            text = (git.read(revision, str(paths.PARAMS)) or b"").decode()
            if not trials.says(text, self.experiment, self.trials[name]):
                message = (
                    f"{name}: must have been made of {trials.describe(self.trials[name])}, and was "
                    f"not; `dvc exp remove {name}` forgets it"
                )
                raise SweepError(message)
        return done


def plan(experiment: str, values: Sequence[str], count: int | None) -> Sweep:
    """Find the trials of a search.

    Args:
        experiment: Its name.
        values: Of keys, as `space.parse` reads them.
        count: Of the trials that are drawn, by `seed`; None for a whole grid.

    Raises:
        SweepError: It cannot be run; says why.
    """
    settings = params.load()
    section = params.pick(settings.experiments, "experiment", experiment)
    if "validation" not in arrays.read_info(paths.data(section.input)).splits:
        is_to_come = settings.prepare[section.variant].validation_fraction > 0
        give = "" if is_to_come else "give its variant a validation_fraction, and "
        message = (
            f"{experiment}: must have validation images to choose by, and {section.pixels} has "
            f"none{' yet' * is_to_come}; {give}run `dvc repro train@{experiment}`. The test images "
            "are not for choosing"
        )
        raise SweepError(message)
    wanted = space.parse(values)
    found = space.grid(wanted) if count is None else space.sample(wanted, count, settings.seed)
    trainings = trials.trainings(experiment, found)
    names = [trials.name(experiment, trial) for trial in found]
    return Sweep(
        experiment,
        runs.require_commit(),
        dict(zip(names, found, strict=True)),
        dict(zip(names, trainings, strict=True)),
    )
