"""The examples of docs/clusters: each starts workers, over which a stage makes the same bytes."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator as Validator
from jsonschema import ValidationError

from imago.core import workers
from tests import tiny_project
from tests.test_docs import free_port
from tests.tiny_project import ROOT
from tests.trees import contents

EXAMPLES = ROOT / "docs/clusters"
KUBERNETES = list(yaml.safe_load_all((EXAMPLES / "kubernetes.yaml").read_text("utf-8")))
CLAIM, CLUSTER = KUBERNETES
SCHEMA = json.loads((ROOT / "tests/daskcluster.schema.json").read_text("utf-8"))
EXTRACT = (sys.executable, "-m", "stages.extract", "photos")

SBATCH = """\
#!/bin/sh
cp "$1" "$FAKE_SLURM/job.$$"
setsid sh "$FAKE_SLURM/job.$$" > "$FAKE_SLURM/log.$$" 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """\
#!/bin/sh
echo "$1" >> "$FAKE_SLURM/cancelled"
kill -KILL -- "-$1"
"""
"""A job is a session of its own, named by the process that leads it."""

SSH_CONFIG = """\
Host machine
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  UserKnownHostsFile {folder}/known_hosts
"""
SSHD_CONFIG = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose photos are fetched."""
    folder = tmp_path / "project"
    folder.mkdir()
    tiny_project.create_with_digits(folder, tiny_project.settings_with_photos())
    (folder / "published" / tiny_project.PHOTOS).write_bytes(tiny_project.photos_zip())
    tiny_project.run(folder, sys.executable, "-m", "stages.fetch", "photos")
    return folder


@contextlib.contextmanager
def started(folder: Path, *command: str, **variables: str) -> Iterator[str]:
    """Run what starts a scheduler until its address is there; yields the address."""
    with subprocess.Popen(
        command,
        cwd=folder,
        env=tiny_project.environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"(?:IMAGO_SCHEDULER=|Scheduler at: +)(tcp://\S+)", line):
                break
        else:
            raise AssertionError("".join(lines))
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
    assert process.returncode == 0


def check_a_stage(project: Path, address: str, count: int) -> None:
    """Extract photos on so many workers, and here."""
    import distributed

    with distributed.Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)
        assert list(client.nthreads().values()) == [1] * count
    tiny_project.run(project, *EXTRACT, **{workers.VARIABLE: address})
    there = contents(project / "data/extracted/photos")
    shutil.rmtree(project / "data/extracted")
    tiny_project.run(project, *EXTRACT)
    assert there == contents(project / "data/extracted/photos")


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("sshd") is None, reason="no sshd (Debian's package openssh-server)"
)
def test_ssh(project, tmp_path):
    home, port = tmp_path / "home", free_port()
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/config").write_text(SSH_CONFIG.format(port=port, folder=tmp_path))
    for name in ("key", "host_key"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    kind, key, *_ = (tmp_path / "host_key.pub").read_text().split()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    (tmp_path / "sshd_config").write_text(SSHD_CONFIG.format(port=port, folder=tmp_path))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # which Debian's demands, and its service makes
    server = [shutil.which("sshd"), "-D", "-f", str(tmp_path / "sshd_config")]
    example = (sys.executable, str(EXAMPLES / "ssh.py"), "machine")
    with subprocess.Popen([*server, "-E", str(tmp_path / "sshd.log")]) as process:
        try:
            with started(project, *example, HOME=str(home)) as address:
                check_a_stage(project, address, os.cpu_count())
        finally:
            process.terminate()


@pytest.mark.slow
def test_slurm(project, tmp_path):
    commands = tmp_path / "slurm"
    commands.mkdir()
    for name, text in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    text = (EXAMPLES / "slurm.py").read_text("utf-8")
    example = tmp_path / "slurm.py"
    example.write_text(text.replace("WORKERS = 64", "WORKERS = 2"))
    path = f"{commands}{os.pathsep}{tiny_project.environment()['PATH']}"
    variables = {"PATH": path, "FAKE_SLURM": str(commands)}
    with started(project, sys.executable, str(example), **variables) as address:
        check_a_stage(project, address, 2)
        scripts = [path.read_text() for path in commands.glob("job.*")]
        assert not (commands / "cancelled").exists()
    for script in scripts:
        assert {"#SBATCH --cpus-per-task=1", "#SBATCH --mem=4G"} <= set(script.splitlines())
    assert len(scripts) == len((commands / "cancelled").read_text().split()) == 2


@pytest.mark.slow
def test_kubernetes(project):
    """The commands of its containers; what the operator does with it is not tried."""
    spec = CLUSTER["spec"]
    (scheduler,), (worker,) = (spec[one]["spec"]["containers"] for one in ("scheduler", "worker"))
    code = {"PYTHONPATH": str(project)}  # as the Dockerfile has it
    with contextlib.ExitStack() as stack:
        command = [*scheduler["command"], "--port", "0", "--dashboard-address", ":0"]
        address = stack.enter_context(started(project, *command, **code))
        for name in ("one", "two"):
            given = {"DASK_WORKER_NAME": name, "DASK_SCHEDULER_ADDRESS": address}
            command = [one.replace("$(DASK_WORKER_NAME)", name) for one in worker["command"]]
            process = subprocess.Popen(
                command,
                cwd=project,
                env=tiny_project.environment() | code | given,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        check_a_stage(project, address, 2)


def test_kubernetes_has_the_schema_of_its_operator():
    Validator(SCHEMA).validate(CLUSTER)
    claim = {"$defs": SCHEMA["$defs"], "$ref": "#/$defs/PersistentVolumeClaimSpec"}
    Validator(claim).validate(CLAIM["spec"])


@pytest.mark.parametrize("wrong", ["comand", "volumeMount"])
def test_the_schema_refuses_what_kubernetes_does_not_know(wrong):
    changed = json.loads(json.dumps(CLUSTER))
    changed["spec"]["worker"]["spec"]["containers"][0][wrong] = []
    with pytest.raises(ValidationError, match=wrong):
        Validator(SCHEMA).validate(changed)


def test_the_parts_of_kubernetes_fit_each_other():
    name, spec = CLUSTER["metadata"]["name"], CLUSTER["spec"]
    service = spec["scheduler"]["service"]
    assert service["selector"] == {
        "dask.org/cluster-name": name,
        "dask.org/component": "scheduler",
    }
    containers = [spec[one]["spec"]["containers"][0] for one in ("scheduler", "worker")]
    assert len({one["image"] for one in containers}) == 1
    ports = {one["name"] for one in containers[0]["ports"]}
    assert {one["targetPort"] for one in service["ports"]} <= ports
    for pod, container in zip(("scheduler", "worker"), containers, strict=True):
        (volume,) = spec[pod]["spec"]["volumes"]
        assert volume["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
        (mount,) = container["volumeMounts"]
        assert mount["name"] == volume["name"]
        assert f"\nWORKDIR {mount['mountPath']}\n" in (EXAMPLES / "Dockerfile").read_text("utf-8")
