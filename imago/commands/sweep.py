"""Search for hyperparameters, and rank what was tried by validation accuracy.

    imago sweep mnist_adam learning_rate=0.0005,0.001,0.002 batch_size=32,128
    imago sweep mnist_adam learning_rate=0.0001..0.01:log dropout=0.0..0.5 --random 20

Keys are those of the experiment's section `train`. Each trial is an experiment of DVC on top of the
commit that is checked out; those that are there from an earlier run are not run again.
"""

import argparse

from imago.commands._arguments import positive
from imago.core import running

JOBS = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("experiment", help="in params.yaml; its variant needs validation images")
    parser.add_argument(
        "values",
        nargs="+",
        metavar="key=values",
        help="value,value,… or low..high or low..high:log",
    )
    parser.add_argument(
        "--random",
        type=positive,
        metavar="N",
        help="draw N trials, by `seed`, in place of a whole grid",
    )
    parser.add_argument(
        "--jobs", type=positive, default=JOBS, help="how many to train at a time; else %(default)s"
    )
    parser.add_argument("--apply", action="store_true", help="put the best into the working tree")


def run(chosen: argparse.Namespace) -> int:
    """Run the trials that are not there yet, and print all, the best first."""
    from imago import params  # here, for it takes a while to import

    params.load()  # nothing is written where there is no project
    with running.alone("sweep"):  # another one would take these trials' values into its own
        return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    from imago import terminal  # here, for they take seconds to import
    from imago.sweep import ranking, sweeps, trials

    sweep = sweeps.plan(chosen.experiment, chosen.values, chosen.random)
    missing = sweep.missing()
    if missing:
        there = len(sweep.trials) - len(missing)
        print(f"{len(missing)} trials to run, {there} there", flush=True)
        sweep.run(chosen.jobs)
    if ranked := sweep.ranked():
        best = ranked[0].name
        print()
        terminal.print_whole(ranking.table(ranked, sweep.trials))
        print()
        if chosen.apply:
            sweep.apply(best)
            print(f"{best} is in the working tree")
        else:
            print(f"To take the best, the same with --apply, or:\n    dvc exp apply {best}")
        named = chosen.experiment
        print(f"To test it:\n    dvc repro report@{named}\n    dvc repro --single-item overview")
    failed = sweep.missing()
    for name, trial in failed.items():
        print(f"failed: {trials.describe(trial)}; dvc queue logs {name}")
    return 1 if failed else 0
