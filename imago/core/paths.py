"""Where each stage's artifacts lie, relative to the repository; dvc.yaml names the same places."""

from pathlib import Path

PARAMS = Path("params.yaml")
LOCK = Path("dvc.lock")
RWLOCK = Path(".dvc/tmp/rwlock")
"""DVC's list of the paths that its processes read and write."""
RECIPES = Path("recipes")
"""The folder of experiments that `imago add` puts into params.yaml."""
WORK = Path(".imago")
"""Git-ignored and unknown to DVC: what must outlive a stage that was interrupted."""

REPORT_FOLDERS = ("cards", "data", "variants")
"""Under reports/, beside those of experiments."""


def in_project(path: Path) -> Path:
    """Return where a file of the project lies that git may not know.

    DVC runs experiments of its queue in a copy of the project, within its folder .dvc, that has
    what git tracks and no more; there, it is that of the project itself.
    """
    folders = [folder for folder in Path.cwd().parents if folder.name == ".dvc"]
    return folders[0].parent / path if folders and not path.exists() else path


def listing(dataset: str) -> Path:
    """The photos of a folder of one's own, with the sha256 of each, which git keeps."""
    return Path("listings", f"{dataset}.csv")


def raw(dataset: str) -> Path:
    """The files of a data set as their publisher made them."""
    return Path("data/raw", dataset)


def weights(name: str) -> Path:
    """The files of a backbone's weights as their publisher made them."""
    return Path("data/weights", name)


def backbone(name: str) -> Path:
    """The folder of a frozen backbone, for images of one size."""
    return Path("data/backbones", name)


def decisions(dataset: str) -> Path:
    """What a person decided of a data set's photos, a table that git keeps."""
    return Path("decisions", f"{dataset}.csv")


def extracted(dataset: str) -> Path:
    """The checked arrays of a data set."""
    return Path("data/extracted", dataset)


def prepared(variant: str) -> Path:
    """The splits of a variant, ready for training."""
    return Path("data/prepared", variant)


def features(name: str) -> Path:
    """What a backbone makes of a variant's images, and the backbone."""
    return Path("data/features", name)


def data(experiment_input: str) -> Path:
    """The splits that an experiment's `input` names, such as prepared/mnist28."""
    return Path("data", experiment_input)


def model(experiment: str) -> Path:
    """The folder of the trained model."""
    return Path("models", experiment)


def export(experiment: str) -> Path:
    """The folder of the exported formats."""
    return Path("exports", experiment)


def metrics(experiment: str) -> Path:
    """The flat numbers for `dvc metrics`."""
    return Path("metrics", f"{experiment}.json")


def predictions(experiment: str) -> Path:
    """The table with one row for each test example."""
    return Path("predictions", f"{experiment}.parquet")


def report(experiment: str) -> Path:
    """The folder of small tables and figures."""
    return Path("reports", experiment)


def figures(experiment: str) -> Path:
    """The folder of figures for the report."""
    return report(experiment) / "figures"


def captions(experiment: str) -> Path:
    """The words that the report has for each of its figures, in their order."""
    return report(experiment) / "captions.json"


def page(experiment: str) -> Path:
    """The report as a page that opens anywhere."""
    return report(experiment) / "index.html"


def cards() -> Path:
    """The folder of model cards."""
    return Path("reports/cards")


def card(experiment: str) -> Path:
    """The report as JSON, for programs: of data, parameters, versions and metrics."""
    return cards() / f"{experiment}.json"


def overview() -> Path:
    """The page over all experiments."""
    return Path("reports/index.html")


def accuracies() -> Path:
    """The accuracy of every experiment, for `dvc plots`."""
    return Path("reports/accuracies.csv")


def curves() -> Path:
    """The epochs of every experiment, for `dvc plots`."""
    return Path("reports/curves.csv")


def preview(variant: str) -> Path:
    """The figure of some training images and their augmented copies."""
    return Path("reports/variants", f"{variant}.png")


def inspection(features: str) -> Path:
    """The page and the tables of what a person should look at in a data set."""
    return Path("reports/data", features)


def set_aside(dataset: str) -> Path:
    """The files of a data set that could not be used, where they were too many to go on."""
    return WORK / "set_aside" / f"{dataset}.csv"


def leaks(dataset: str) -> Path:
    """The photos of a data set that are in two splits, where this was a reason to stop."""
    return WORK / "leaks" / f"{dataset}.csv"


def latency(experiment: str) -> Path:
    """How long each exported format takes for an image: times that vary from run to run."""
    return WORK / "latency" / f"{experiment}.json"


def kept_lock() -> Path:
    """The last whole dvc.lock that a stage has seen."""
    return WORK / LOCK


def running(work: str) -> Path:
    """The file that the process at a work has locked, with its number."""
    return WORK / "running" / work


def copies() -> Path:
    """The folder of clean copies of the project, in which an experiment is made twice."""
    return WORK / "copies"


def downloads() -> Path:
    """Verified downloads and the parts of unfinished ones."""
    return WORK / "downloads"


def training_state(experiment: str, key: str) -> Path:
    """The state of an unfinished training, under a key of all that it depends on."""
    return trainings(experiment) / key


def trainings(experiment: str) -> Path:
    """The folder of the states of an experiment's unfinished trainings."""
    return WORK / "training" / experiment


def unfinished(folder: Path) -> Path:
    """The finished shards of a folder that is not whole yet."""
    return WORK / "unfinished" / folder.parent.name / folder.name


def tensorboard(experiment: str) -> Path:
    """Event files for TensorBoard."""
    return WORK / "tensorboard" / experiment
