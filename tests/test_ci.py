"""The workflow of CI, the script that it calls, and what runs before a change lands."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/ci.sh"
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
JOBS = WORKFLOW["jobs"]
ACTION = yaml.safe_load((ROOT / ".github/actions/setup/action.yml").read_text("utf-8"))


def steps(key: str) -> list[str]:
    return [step[key] for job in JOBS.values() for step in job["steps"] if key in step]


def test_the_workflow_takes_steps_that_the_script_has():
    known = set(re.findall(r"^    (\w+)\) ", SCRIPT.read_text("utf-8"), re.M))
    calls = [run for run in steps("run") if "scripts/ci.sh" in run]
    wanted = set(re.findall(r"(?:ci\.sh|echo) (\w+)", " ".join(calls)))
    assert wanted == known - {"all"} == {"check", "test", "gate", "tiny"}


def test_every_job_ends_and_may_no_more_than_it_must():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 60 for job in JOBS.values())
    writing = {name for name, job in JOBS.items() if "write" in job.get("permissions", {}).values()}
    assert writing == {"gate"}


def test_actions_are_of_a_known_major_version_or_here():
    for action in steps("uses"):
        if action.startswith("./"):
            assert (ROOT / action / "action.yml").is_file()
        else:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", action)


def test_a_step_that_there_is_not():
    found = subprocess.run([SCRIPT, "gates"], capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr == "ci.sh: must be check, test, gate, tiny or nothing, got 'gates'\n"


def test_jobs_that_check_or_test_set_up_developing_and_the_gate_does_not():
    found = {
        name: step.get("with", {}).get("target", ACTION["inputs"]["target"]["default"])
        for name, job in JOBS.items()
        for step in job["steps"]
        if step.get("uses") == "./.github/actions/setup"
    }
    assert found == {"check": "setup-dev", "test": "setup-dev", "gate": "setup"}


def test_the_script_runs_the_tests_as_make_test_all_does():
    ours = re.search(r"^test_all\(\) \{\n    (.+)\n\}", SCRIPT.read_text("utf-8"), re.M)[1]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert ours == re.search(r"^PYTEST := (.+)$", makefile, re.M)[1]
    assert re.search(r"^test-all: .*\n\t\$\(PYTEST\)$", makefile, re.M)


def test_before_a_change_lands_it_is_checked_tested_and_run():
    targets = re.findall(r"^make (.+)$", (ROOT / ".ci/run").read_text("utf-8"), re.M)
    assert " ".join(targets).split() == ["check", "test", "repro"]
