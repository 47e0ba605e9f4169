"""The workflow of CI and the script that it calls."""

import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/ci.sh"
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
JOBS = WORKFLOW["jobs"]


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
