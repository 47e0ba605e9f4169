"""Search for hyperparameters, and rank what was tried by validation accuracy.

    imago sweep mnist_adam learning_rate=0.0005,0.001,0.002 batch_size=32,128
    imago sweep mnist_adam learning_rate=0.0001..0.01:log dropout=0.0..0.5 --random 20

Keys are those of the experiment's section `train`. Each trial is an experiment of DVC on top of the
commit that is checked out; those that are there from an earlier run are not run again.
"""

import argparse

from imago.core.errors import SearchError

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
        "--random", type=int, metavar="N", help="draw N trials, by `seed`, in place of a whole grid"
    )
    parser.add_argument(
        "--jobs", type=int, default=JOBS, help="how many to train at a time; else %(default)s"
    )
    parser.add_argument("--apply", action="store_true", help="put the best into the working tree")


def run(chosen: argparse.Namespace) -> int:
    """Run the trials that are not there yet, and print all, the best first."""
    from imago import params  # here, for they take seconds to import
    from imago.core import paths  # here, for they take seconds to import
    from imago.data import arrays  # here, for they take seconds to import
    from imago.sweep import ranking, runs, space

    settings = params.load()
    experiment = chosen.experiment
    section = params.pick(settings.experiments, "experiment", experiment)
    if "validation" not in arrays.read_info(paths.data(section.input)).splits:
        message = (
            f"{experiment}: must have validation images to choose by, and {section.pixels} has "
            f"none; give its variant a validation_fraction. The test images are not for choosing"
        )
        raise SearchError(message)
    wanted = space.parse(chosen.values)
    trials = (
        space.grid(wanted)
        if chosen.random is None
        else space.sample(wanted, chosen.random, settings.seed)
    )
    recipes = runs.recipes(experiment, trials)
    commit = runs.require_commit()
    named = {runs.name(experiment, trial): trial for trial in trials}

    done = runs.finished(commit)
    missing = [trial for name, trial in named.items() if name not in done]
    if missing:
        print(f"{len(missing)} trials to run, {len(named) - len(missing)} there", flush=True)
        runs.queue(experiment, missing)
        runs.run_queue(chosen.jobs)
        done = runs.finished(commit)

    report = str(paths.report(experiment) / "history.csv")
    results = [
        ranking.result(name, runs.read(done[name], report), recipe)
        for name, recipe in zip(named, recipes, strict=True)
        if name in done
    ]
    failed = [name for name in named if name not in done]
    if results:
        best, *_ = ranked = ranking.ranked(results)
        print(f"\n{ranking.table(ranked, named)}\n")
        if chosen.apply:
            runs.apply(experiment, named[best.name], done[best.name])
            print(f"{best.name} is in the working tree")
        else:
            print(f"To take the best, the same with --apply, or:\n    dvc exp apply {best.name}")
        print(f"To test it:\n    dvc repro evaluate@{experiment} export@{experiment}")
    for name in failed:
        print(f"failed: {runs.describe(named[name])}; dvc queue logs {name}")
    return 1 if failed else 0
