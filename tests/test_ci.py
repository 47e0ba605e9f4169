"""What CI systems are told, the script that they call, and what runs before a change lands."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "scripts/ci.sh"
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
JOBS = WORKFLOW["jobs"]
ACTION = yaml.safe_load((ROOT / ".github/actions/setup/action.yml").read_text("utf-8"))


GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text("utf-8"))


def steps(key: str) -> list[str]:
    return [step[key] for job in JOBS.values() for step in job["steps"] if key in step]


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (".github/workflows/ci.yml", "github-workflows"),
        (".github/actions/setup/action.yml", "github-actions"),
        (".gitlab-ci.yml", "gitlab-ci"),
    ],
)
def test_files_are_what_their_published_schemas_ask_for(file, schema):
    found = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout


def scripts_of_gitlab() -> list[str]:
    return [line for job in GITLAB.values() for line in job.get("script", [])]


@pytest.mark.parametrize("commands", [steps("run"), scripts_of_gitlab()], ids=["GitHub", "GitLab"])
def test_each_system_takes_the_steps_that_the_script_has(commands):
    known = set(re.findall(r"^    (\w+)\)(?: |$)", SCRIPT.read_text("utf-8"), re.M))
    calls = [command for command in commands if "scripts/ci.sh" in command]
    wanted = set(re.findall(r"(?:ci\.sh|echo) (\w+)", " ".join(calls)))
    assert wanted == known - {"all"} == {"check", "test", "gate", "tiny"}


def test_gitlab_sets_up_and_ends_as_github_does():
    jobs = {name: GITLAB[name] | GITLAB.get(GITLAB[name].get("extends"), {}) for name in JOBS}
    first = {name: job["before_script"][0] for name, job in jobs.items()}
    assert first == {"check": "make setup-dev", "test": "make setup-dev", "gate": "make setup"}
    for name, job in jobs.items():
        assert job["timeout"] == f"{JOBS[name]['timeout-minutes']} minutes"
    assert jobs["gate"]["artifacts"]["paths"] == ["ci-report/"]


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


@pytest.mark.parametrize("what", ["gate", "tiny"])
def test_a_clone_that_does_not_reach_back_to_main(tmp_path, what):
    """As CI systems make it where nobody says otherwise: of one branch, and shallow."""
    hub, clone = tmp_path / "hub", tmp_path / "clone"
    (hub / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, hub / "scripts")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", hub)
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", "One"),
        ("switch", "--quiet", "--create", "branch"),
        ("commit", "--quiet", "--allow-empty", "--message", "Two"),
    ):
        subprocess.run([*git, *words], check=True)
    shallow = ("git", "clone", "--quiet", "--depth=1", "--branch=branch", f"file://{hub}", clone)
    subprocess.run(shallow, check=True)

    found = subprocess.run([clone / "scripts/ci.sh", what], capture_output=True, text=True)

    assert found.returncode == 2
    assert found.stderr.startswith("ci.sh: must have a commit in common with main, to compare with")
    assert found.stderr.count("\n") == 1


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
