"""A metric that is added is one entry: everything else finds it by itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_project

REPOSITORY = Path(__file__).parents[1]
ENTRY = '''
"""How probable the model finds the true class."""

from imago.scoring.metric import ByValues, Metric

METRICS = (
    Metric(
        name="probability_of_truth",
        title="Probability of the truth",
        explanation="Mean probability of the true class.",
        has_column=True,
        kind="share",
        better="higher",
        place=55,
        compute=lambda evaluation: float(evaluation.predictions.of_truth.mean()),
        compared=ByValues(lambda predictions: predictions.of_truth),
    ),
)
'''
GATE = """
gate:
  significance_level: 0.05
  bootstrap_samples: 1000
  metrics:
    accuracy: {share: 0.5, margin: 0.0}
    probability_of_truth: {share: 0.5, margin: 0.0}
"""
FLOORS = "    floors: {probability_of_truth: 0.5}\n"
SCRIPT = """
import contextlib, io, json, sys
from pathlib import Path
from imago.scoring import metrics

metrics.__path__.append(sys.argv[1])

import numpy as np
from imago import cli, params
from imago.core.errors import ParamsError
from imago.gate import changes, verdicts
from imago.scoring import floors, summary
from stages import overview, report
from tests import made_up, report_tree

report_tree.write(Path())
params_yaml = Path("params.yaml")
params_yaml.write_text(report_tree.PARAMS + sys.argv[2])
settings = params.load()

labels, before = np.arange(300) % 2, np.tile([0.75, 0.25], (300, 1))
after = np.tile([0.5, 0.5], (300, 1))
after[labels == 0] = [0.625, 0.375]
found = summary.compute(made_up.evaluation(labels, after))
summary.write(Path("metrics/tiny.json"), found)

pair = made_up.predictions(labels, before), made_up.predictions(labels, after)
finding = verdicts.Finding("tiny", changes=changes.measure(*pair, settings.gate, 1, "tiny"))
held = floors.of(settings.experiments["tiny"].floors)
verdicts.judge([finding], settings.gate)

report.main("tiny")
overview.main()
said = io.StringIO()
with contextlib.redirect_stdout(said):
    cli.main(["results", "--md"])
try:
    params.parse(params_yaml.read_text().replace("floors: {probability", "floors: {improbability"))
except ParamsError as error:
    fault = str(error)
print(json.dumps({
    "metrics": list(found),
    "floors": [[one.metric.name, one.is_met(found)] for one in held],
    "changes": [[one.change.metric, one.change.base, one.change.here] for one in finding.judged],
    "results": said.getvalue(),
    "page": Path("reports/tiny/index.html").read_text(),
    "overview": Path("reports/index.html").read_text(),
    "fault": fault,
}))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a project says in which the metric was added, and nothing else."""
    package, project = tmp_path_factory.mktemp("metrics"), tmp_path_factory.mktemp("project")
    (package / "newcomer.py").write_text(ENTRY, "utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, package, FLOORS + GATE],
        cwd=project,
        env=tiny_project.environment() | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_is_measured_at_its_place(said):
    place = said["metrics"].index("probability_of_truth")
    assert said["metrics"][place - 1 : place + 2] == ["loss", "probability_of_truth", "brier_score"]


def test_it_is_held_against_a_floor(said):
    assert said["floors"] == [["probability_of_truth", True]]
    assert "floors.improbability_of_truth must be 'accuracy'" in said["fault"]
    assert "'probability_of_truth'" in said["fault"]


def test_its_changes_are_tested(said):
    assert said["changes"] == [
        ["accuracy", 0.5, 0.5],
        ["probability_of_truth", 0.5, pytest.approx(0.5625)],
    ]


def test_it_is_shown(said):
    assert "Calibration error" in said["results"]
    for text in (said["results"], said["page"], said["overview"]):
        assert "Probability of the truth" in text
        assert "56.25 %" in text
    assert "Mean probability of the true class." in said["page"]
    assert 'data-metric="probability_of_truth"' in said["page"]
