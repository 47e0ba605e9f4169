"""`dvc repro` killed at random moments of every stage: it comes to the lock that it always does."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from imago.core import paths
from tests import faults, tiny_project

pytestmark = [pytest.mark.fault, pytest.mark.slow]

KILLS = faults.times(20, 100)
_RUNNING = re.compile(r"(?<=Running stage ').+(?=':)")
BEYOND = 1.15
"""Of a stage's time, the latest moment to kill at: DVC writes dvc.lock after its end."""


def digits(folder):
    """One experiment, of which each stage takes seconds or less."""
    settings = tiny_project.settings()
    del settings["prepare"]["tiny6"], settings["experiments"]["validated"]
    settings["exports"][tiny_project.FEW_FORMATS]["formats"] = ["litert"]
    settings["experiments"]["plain"]["export"] = tiny_project.FEW_FORMATS
    tiny_project.create_with_digits(folder, settings)


PROJECTS = [digits, tiny_project.create] if faults.FULL else [digits]


@dataclass
class Killer:
    """Runs a project to its end, and kills it on the way.

    Attributes:
        folder: Of the project.
        kills: How many are left for each stage.
        draw: Draws moments and who is killed.
        lasts_s: How long each stage took when it was last seen through.
        killed: How often each of GROUP, DVC and STAGE was.
        mended: How often DVC could not go on before `imago mend`.
    """

    folder: Path
    kills: Counter
    draw: random.Random
    lasts_s: dict[str, float] = field(default_factory=dict)
    killed: Counter = field(default_factory=Counter)
    mended: int = 0

    def run(self, *options):
        """Run to the end, mending where DVC cannot go on."""
        while True:
            code, said = self._attempt(options)
            if code == 0:
                return
            if code is not None:
                assert "Traceback" not in said
                mended = self._command("imago", "mend")
                assert mended.stdout, f"DVC ended with {code}, and all is whole:\n{said}"
                self.mended += 1

    def _attempt(self, options):
        """Run and perhaps kill; return the exit code, None after a kill, and what was said."""
        lines, stage, begun_s = [], None, 0.0
        with self._begin("dvc", "repro", *options) as process:
            for line in process.stdout:
                lines.append(line)
                if not (found := _RUNNING.search(line)):
                    continue
                now_s = time.monotonic()
                if stage:
                    self.lasts_s[stage] = now_s - begun_s
                stage, begun_s = found[0], now_s
                if self.kills[stage]:
                    self.kills[stage] -= 1
                    self._wait_for_the_moment(stage)
                    self._kill(process, stage)
                    process.stdout.read()
                    process.wait()
                    return None, ""
        if stage:
            self.lasts_s[stage] = time.monotonic() - begun_s
        return process.returncode, "".join(lines)

    def _wait_for_the_moment(self, stage):
        """Wait until a moment at random; every second time with a training for its first epoch."""
        lasts_s = self.lasts_s.get(stage, 1.0)
        if not stage.startswith("train@") or self.kills[stage] % 2:
            time.sleep(self.draw.uniform(0, BEYOND) * lasts_s)
            return
        states = self.folder / paths.trainings(stage.removeprefix("train@"))
        latest_s = time.monotonic() + BEYOND * lasts_s
        while not list(states.glob("*/state.npz")) and time.monotonic() < latest_s:
            time.sleep(0.002)

    def _kill(self, process, stage):
        who = self.draw.choice(["group", "dvc", "stage"])
        number = self._process_of(stage, process.pid) if who == "stage" else None
        if number:
            os.kill(number, signal.SIGKILL)
        elif who == "dvc":
            process.kill()
        else:
            who = "group"
            os.killpg(process.pid, signal.SIGKILL)
        self.killed[who] += 1

    def _process_of(self, stage, group):
        """Return the number of a stage's process; None if it has not begun, or has ended."""
        owner = self.folder / paths.running(stage)
        try:
            number = int(owner.read_text())
            return number if os.getpgid(number) == group else None
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None

    def _begin(self, *command):
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=tiny_project.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _command(self, *command):
        with self._begin(*command) as process:
            said, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, said)


@pytest.mark.parametrize("create", PROJECTS, ids=lambda create: create.__name__)
def test_whatever_is_killed_the_end_is_the_same(create, tmp_path, monkeypatch):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for folder in (undisturbed, killed):
        create(folder)
    (tmp_path / "offline").mkdir()
    (tmp_path / "offline/sitecustomize.py").write_text(faults.OFFLINE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "offline"))
    reference = Killer(undisturbed, Counter(), random.Random(0))
    reference.run()
    monkeypatch.delenv("PYTHONPATH")
    stages = list(reference.lasts_s)
    plan = Counter(stages[number % len(stages)] for number in range(KILLS))

    killer = Killer(killed, plan, random.Random(20), dict(reference.lasts_s))
    killer.run()
    while left := +killer.kills:  # of a stage that had ended when it was to be killed
        killer.run("--force", "--single-item", next(iter(left)))

    print(f"{KILLS} kills: {dict(killer.killed)}; mended {killer.mended} times")
    assert sum(killer.killed.values()) == KILLS
    # DVC appends a stage that a mended lock lacks, so their order may differ; no record may.
    recorded = [yaml.safe_load((one / "dvc.lock").read_bytes()) for one in (killed, undisturbed)]
    assert recorded[0] == recorded[1]
    assert [path for path in killed.rglob(".*") if path.suffix in {".part", ".old"}] == []
    assert list((killed / paths.trainings("plain")).glob("*")) == []
