"""Where `imago gate` finds what it compares, and how it says so."""

import http.server
import json
import subprocess
import threading

import numpy as np
import pytest
from gate_project import GATE, Project, answers, labels, table

from imago import cli
from imago.project import lock

TRUTH = labels(20)
BASE = table(TRUTH, answers(TRUTH, np.arange(20)))
OTHER = table(TRUTH, answers(TRUTH, np.arange(1, 21)))
"""As many right, and not the same ones."""
WORSE = table(TRUTH, answers(TRUTH, np.arange(60)))


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("template"))
    project.settings({"digits": 0.85})
    project.evaluate("digits", BASE)
    project.commit("Base")
    return project


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """A copy with its cache."""
    subprocess.run(["cp", "-r", f"{template.folder}/.", tmp_path], check=True)
    monkeypatch.chdir(tmp_path)
    copy = Project.__new__(Project)
    copy.folder = tmp_path
    return copy


@pytest.fixture
def changed(project):
    """The same with other predictions in the working tree, so that those of the base are read."""
    project.evaluate("digits", OTHER)
    return project


def gate(capsys, *arguments):
    code = cli.main(["gate", *arguments])
    out, err = capsys.readouterr()
    return code, err or out


def found(capsys, *arguments):
    code, said = gate(capsys, "--json", *arguments)
    return code, json.loads(said)


def clone(project, folder, *arguments):
    project.git("clone", "--quiet", *arguments, f"file://{project.folder}", str(folder))
    there = Project.__new__(Project)
    there.folder = folder
    return there


def cached(project, content=None):
    """The object of the predictions of a dvc.lock, or that of the last commit."""
    content = content or project.git("show", "HEAD:dvc.lock").encode()
    md5 = lock.digests(content)["predictions/digits.parquet"]
    return project.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


# ------------------------------------------------------------------ which revisions


def test_the_working_tree_against_the_merge_base(project, capsys):
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "feature")
    project.evaluate("digits", WORSE)

    code, said = found(capsys)

    assert code == 1
    assert said["base"] == {"name": f"the merge base with main, {base[:7]}", "commit": base}
    assert said["here"] == {"name": "the working tree", "commit": None}


def test_what_main_did_since_is_not_the_branchs(project, capsys):
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "feature")
    project.commit("On the branch")
    project.git("checkout", "--quiet", "main")
    project.evaluate("digits", WORSE)
    project.commit("On main")

    code, said = found(capsys, "feature")

    assert (code, said["base"]["commit"]) == (0, base)


def test_a_clone_with_a_detached_head_uses_the_main_of_origin(project, capsys, tmp_path_factory):
    base = project.git("rev-parse", "HEAD")
    project.git("checkout", "--quiet", "-b", "feature")
    project.commit("On the branch")
    there = clone(project, tmp_path_factory.mktemp("clones") / "clone")
    there.git("checkout", "--quiet", "--detach", "origin/feature")
    assert there.git("branch", "--list", "main") == ""

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(there.folder)
        _, said = found(capsys)

    assert said["base"]["commit"] == base


def test_of_two_mains_the_one_that_shares_more(project, capsys):
    """A local main that was not pulled for long would blame the branch for others' commits."""
    project.commit("On main")
    newer = project.git("rev-parse", "HEAD")
    project.git("update-ref", "refs/remotes/origin/main", newer)
    project.git("checkout", "--quiet", "-b", "feature")
    project.git("branch", "--force", "main", "HEAD~1")

    _, said = found(capsys)

    assert said["base"]["commit"] == newer


@pytest.mark.parametrize("kind", ["tag", "short hash", "HEAD~1", "experiment"])
def test_revisions_have_many_names(project, capsys, kind):
    first = project.git("rev-parse", "HEAD")
    project.commit("Second")
    project.git("tag", "--annotate", "--message", "One", "v1", first)
    project.git("update-ref", "refs/exps/ab/cdef/puffy-fork", first)
    names = {"tag": "v1", "short hash": first[:9], "experiment": "puffy-fork"}

    code, said = found(capsys, "--base", names.get(kind, kind), "HEAD")

    assert (code, said["base"]["commit"]) == (0, first)


@pytest.mark.parametrize("words", [("--base", "nowhere"), ("--base", ""), ("",)])
def test_an_unknown_revision(project, capsys, words):
    """An empty one too, as of a variable of CI that is not set."""
    assert gate(capsys, *words) == (
        2,
        f"imago gate: unknown revision {words[-1]!r}; `git log --all --oneline` lists commits\n",
    )


def test_no_git_repository(tmp_path_factory, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path_factory.mktemp("plain"))

    assert gate(capsys) == (
        2,
        "imago gate: this folder must be in a git repository, for revisions to compare; run "
        "git init\n",
    )


def test_no_main(project, capsys):
    project.git("branch", "--move", "trunk")

    code, said = gate(capsys)

    assert code == 2
    assert said == (
        "imago gate: this clone has no branch main, to compare with; fetch it (git fetch origin "
        "main:refs/remotes/origin/main) or name a base with --base\n"
    )


def test_a_shallow_clone(project, capsys, monkeypatch, tmp_path_factory):
    project.git("checkout", "--quiet", "-b", "feature")
    project.commit("On the branch")
    there = clone(project, tmp_path_factory.mktemp("clones") / "shallow", "--depth", "1")
    monkeypatch.chdir(there.folder)

    code, said = gate(capsys)

    assert code == 2
    assert "this clone, which is shallow, has no branch main" in said
    assert "git fetch --unshallow" in said


def test_a_revision_without_params(project, capsys):
    project.git("rm", "--quiet", "params.yaml")
    project.commit("Without")

    code, said = gate(capsys, "HEAD", "--base", "HEAD~1")

    assert code == 2
    assert "has no params.yaml in this folder; choose another revision" in said


# ------------------------------------------------------------------ where predictions are


def test_predictions_that_are_not_checked_out_are_read_from_the_cache(changed, capsys):
    (changed.folder / "predictions/digits.parquet").unlink()

    code, said = found(capsys)

    assert (code, said["experiments"][0]["verdict"]) == (0, "no change")


def test_predictions_that_the_lock_does_not_name_are_noted(project, capsys):
    rows = BASE.copy()
    rows["example"] += 1
    rows.to_parquet(project.folder / "predictions/digits.parquet")

    code, said = found(capsys)

    assert code == 0
    assert said["experiments"][0]["notes"] == [
        "the predictions here are not those that dvc.lock names"
    ]


def test_predictions_that_are_no_table(project, capsys):
    (project.folder / "predictions/digits.parquet").write_text("nothing\n")

    code, said = found(capsys)

    assert code == 1
    assert said["experiments"][0]["notes"] == [
        "predictions/digits.parquet: must have the column image, got nothing; "
        "run `dvc repro evaluate@digits`"
    ]


def test_a_damaged_copy_in_the_cache_is_named_and_not_used(changed, capsys):
    damaged = cached(changed)
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[::-1])
    damaged.chmod(0o444)  # for which DVC itself takes it to be sound

    code, said = found(capsys)

    assert (code, said["experiments"][0]["verdict"]) == (2, "could not compare")
    relative = damaged.relative_to(changed.folder)
    assert f"damaged in the DVC cache; delete {relative}" in said["experiments"][0]["notes"][0]


def test_without_cache_and_remote_the_commands_are_named(changed, capsys):
    cached(changed, (changed.folder / "dvc.lock").read_bytes()).unlink()
    (changed.folder / "predictions/digits.parquet").unlink()

    code, said = found(capsys)

    assert code == 1
    assert said["experiments"][0]["notes"] == [
        "predictions/digits.parquet is missing: not in the DVC cache; no DVC remote is set up "
        "(dvc remote add --default NAME URL); run `dvc pull predictions/digits.parquet` or "
        "`dvc repro evaluate@digits`"
    ]


def test_without_the_predictions_of_the_base(changed, capsys):
    commit = changed.git("rev-parse", "HEAD")[:7]
    cached(changed).unlink()

    code, said = found(capsys)

    assert code == 2
    note = said["experiments"][0]["notes"][0]
    assert note.startswith(
        f"predictions/digits.parquet of the merge base with main, {commit} is miss"
    )
    assert f"`git switch --detach {commit} && dvc repro evaluate@digits`" in note


@pytest.fixture
def remote(changed, tmp_path_factory):
    """A remote in a folder that has the predictions, which the cache has not."""
    folder = tmp_path_factory.mktemp("remote")
    config = changed.folder / ".dvc/config"
    config.write_text(
        f"{config.read_text()}    remote = storage\n['remote \"storage\"']\n    url = {folder}\n"
    )
    kept = cached(changed)
    there = folder / "files/md5" / kept.parent.name / kept.name
    there.parent.mkdir(parents=True)
    kept.rename(there)
    return there


def test_predictions_are_read_from_the_remote(project, remote, capsys):
    code, said = found(capsys)

    assert (code, said["experiments"][0]["verdict"]) == (0, "no change")


def test_a_damaged_copy_in_the_remote_is_named_and_not_used(project, remote, capsys):
    remote.chmod(0o644)
    remote.write_bytes(b"image,true,predicted,p:a\n0,a,a,1\n")

    code, said = found(capsys)

    assert code == 2
    assert "damaged in the DVC remote too" in said["experiments"][0]["notes"][0]


@pytest.mark.parametrize(
    ("removed", "said_of_it"),
    [(0, "not in the DVC remote storage"), (3, "the DVC remote storage cannot be read: ")],
    ids=["the object", "the remote"],
)
def test_what_a_remote_lacks(project, remote, capsys, removed, said_of_it):
    there = remote
    there.unlink()
    for _ in range(removed + 1):
        there = there.parent
        there.rmdir()
    if not removed:
        there.mkdir()

    code, said = found(capsys)

    assert code == 2
    assert said_of_it in said["experiments"][0]["notes"][0]


class Refusing(http.server.BaseHTTPRequestHandler):
    """A server of S3 that knows nobody."""

    def do_GET(self):
        self.send_error(403)

    def do_HEAD(self):
        self.send_error(403)

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing_url():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("settings", "said_of_it"),
    [
        (
            "url = s3://bucket\nendpointurl = {url}\naccess_key_id = a\nsecret_access_key = b",
            "Forbidden",
        ),
        ("url = s3://bucket\nprofile = nobody", "The config profile (nobody) could not be found"),
        ("url = gs://bucket", "gs is supported, but requires 'dvc-gs' to be installed"),
        ("url = nowhere://bucket", "Unsupported URL type nowhere://"),
    ],
    ids=["wrong keys", "no profile", "no extra", "no such kind"],
)
def test_a_remote_that_cannot_be_read_is_one_line(
    project, remote, refusing_url, capsys, settings, said_of_it
):
    config = project.folder / ".dvc/config"
    text = (
        f"[core]\nremote = storage\n['remote \"storage\"']\n{settings.format(url=refusing_url)}\n"
    )
    config.write_text(text)

    code, said = found(capsys)

    (note,) = said["experiments"][0]["notes"]
    assert code == 2
    assert said_of_it in note
    assert "\n" not in note


@pytest.mark.parametrize(
    "broken",
    ["<<<<<<< HEAD\nstages: {}\n=======\n", "stages:\n  a: [\n", "[]", "stages: {a: 1}"],
    ids=["conflict", "no YAML", "no section", "no stage"],
)
def test_a_broken_lock_is_one_line(project, capsys, broken):
    (project.folder / "dvc.lock").write_text(broken)
    project.commit("Broken")

    code, said = gate(capsys, "HEAD", "--base", "HEAD~1")

    assert code == 2
    assert said.startswith("imago gate: dvc.lock of HEAD, ")
    assert said.count("\n") == 1
    assert "then run `dvc repro`" in said


# ------------------------------------------------------------------ settings and output


def test_settings_of_a_commit_that_is_older_than_the_gate(project, capsys):
    project.settings({"digits": None}, gate=None)
    project.commit("Without a gate")
    project.settings({"digits": None})

    assert found(capsys, "HEAD", "--base", "HEAD~1")[0] == 0


def test_no_settings_at_all(project, capsys):
    project.settings({"digits": None}, gate=None)

    assert gate(capsys, "--base", "HEAD") == (
        2,
        "imago gate: params.yaml: gate is missing; docs/gate.md has one to copy\n",
    )


def test_faulty_settings(project, capsys):
    project.settings({"digits": None}, gate=GATE | {"significance_level": 5})

    code, said = gate(capsys, "--base", "HEAD")

    assert code == 2
    assert said.startswith("imago gate: params.yaml of the working tree: gate.significance_level: ")


def test_the_table(project, capsys):
    project.evaluate("digits", WORSE)

    code, said = gate(capsys)

    assert code == 1
    assert "digits" in said
    row = next(line for line in said.splitlines() if "accuracy" in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells[:5] == ["digits", "accuracy", "90.00 %", "70.00 %", "-20.00"]
    assert cells[-2:] == ["85.00 % not met", "regression"]
    assert said.endswith(
        "digits: accuracy 70.00 % is below its floor, 85.00 %\nimago gate: failed digits\n"
    )


def test_a_floor_is_written_as_its_metric(project, capsys):
    """The area under a curve is a number, and no share."""
    project.settings({}, experiments={"digits": {"floors": {"roc_auc": 0.97}}})
    project.evaluate("digits", OTHER, roc_auc=0.96531)

    code, said = gate(capsys, "--md")

    assert code == 1
    assert "| roc_auc |  | 0.9653 |  |  |  | 0.9700 not met |" in said
    assert "- digits: roc_auc 0.96531 is below its floor, 0.97\n" in said


def test_a_narrow_table_has_fewer_columns(project, capsys, monkeypatch):
    monkeypatch.setattr("imago.terminal.WIDTH_OF_LOGS", 80)
    project.evaluate("digits", WORSE)

    _, said = gate(capsys)

    lines = said.splitlines()
    assert max(map(len, lines)) <= 80
    names = [name.strip() for name in lines[2].split("┃")[1:-1]]
    assert names == ["experiment", "metric", "base", "here", "change", "verdict"]


def test_a_terminal_too_narrow_for_a_table_has_paragraphs(project, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    project.evaluate("digits", WORSE)

    _, said = gate(capsys)

    lines = said.splitlines()
    start = lines.index("digits")
    assert lines[start + 1 : start + 3] == [
        "metric accuracy · base 90.00 % ·",
        "here 70.00 % · change -20.00 ·",
    ]


def test_markdown(project, capsys):
    project.evaluate("digits", WORSE)

    code, said = gate(capsys, "--md")

    lines = said.splitlines()
    assert code == 1
    assert lines[0] == "### imago gate: failed"
    table_lines = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table_lines} == {10}
    assert table_lines[2].startswith("| digits | accuracy | 90.00 % | 70.00 % | -20.00 |")
    assert table_lines[2].endswith("| 85.00 % not met | **regression** |")
    assert lines[-1] == "imago gate: failed digits"


def test_names_are_no_markup(project, capsys):
    project.settings({"digits": None, "a[b]": None})

    _, said = gate(capsys)

    assert "│ a[b] " in said
    assert "\na[b]: metrics/a[b].json is missing" in said


def test_names_are_no_markdown(project, capsys):
    project.settings({"digits": None, "a|b": None})

    _, said = gate(capsys, "--md")

    assert "| a\\|b |" in said
    assert "- a\\|b: metrics/a\\|b.json is missing" in said


def test_the_result_is_the_same_whenever_it_is_asked(project, capsys):
    project.evaluate("digits", table(TRUTH, answers(TRUTH, np.arange(23))))

    assert found(capsys) == found(capsys)
