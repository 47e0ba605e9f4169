import re

import pytest

from imago import cli, params
from imago.project import missing
from tests.params_text import TEXT

TRANSFER = """
  transferred:
    input: features/seen
    pixels: prepared/whole
    train:
      model: transfer
      hidden_units: []
      dropout: 0.0
      optimizer: sgd
      learning_rate: 0.1
      epochs: 2
      batch_size: 9
      jit_compile: false
    export: small
"""
WITH_FEATURES = (
    TEXT.replace(
        "weights: {}",
        'weights: {net: {files: {net.h5: unpublished}, sources: ["https://example.org/{name}"]}}',
    )
    .replace(
        "backbones: {}",
        "backbones:\n"
        "  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}",
    )
    .replace("features: {}", "features: {seen: {variant: whole, backbone: net32}}")
    + TRANSFER
)
MADE = {
    "tiny": [
        "data/raw/pets",
        "data/extracted/pets",
        "data/prepared/pets4",
        "models/tiny",
        "metrics/tiny.json",
        "exports/tiny",
        "reports/tiny/figures",
        "reports/tiny/index.html",
    ],
    "transferred": [
        "data/raw/pets",
        "data/weights/net",
        "data/extracted/pets",
        "data/prepared/whole",
        "data/backbones/net32",
        "data/features/seen",
        "models/transferred",
        "metrics/transferred.json",
        "exports/transferred",
        "reports/transferred/figures",
        "reports/transferred/index.html",
    ],
}


@pytest.fixture
def settings():
    return params.parse(WITH_FEATURES)


def make(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)


def found(settings, folder, experiment):
    return [gap.artifact.as_posix() for gap in missing.gaps(settings, folder).get(experiment, [])]


@pytest.mark.parametrize("experiment", MADE)
def test_nothing_is_missing_when_all_is_made(settings, tmp_path, experiment):
    make(tmp_path, *MADE[experiment])

    assert found(settings, tmp_path, experiment) == []


@pytest.mark.parametrize(
    ("experiment", "artifact"),
    [
        (name, artifact)
        for name, made in MADE.items()
        for artifact in made
        if not artifact.startswith(("data/raw", "data/weights"))
    ],
)
def test_the_first_artifact_that_was_not_made(settings, tmp_path, experiment, artifact):
    made = MADE[experiment]
    make(tmp_path, *made[: made.index(artifact)])

    assert found(settings, tmp_path, experiment) == [artifact]


def test_all_published_files_that_could_not_be_had(settings, tmp_path):
    make(tmp_path, "data/extracted/pets")  # of an earlier run

    assert found(settings, tmp_path, "transferred") == ["data/raw/pets", "data/weights/net"]


def test_published_files_that_are_no_longer_needed(settings, tmp_path):
    make(tmp_path, *(name for name in MADE["tiny"] if name != "data/raw/pets"))

    assert found(settings, tmp_path, "tiny") == []


def test_explanation(settings, tmp_path):
    make(tmp_path, *MADE["tiny"])

    said = missing.explain(missing.gaps(settings, tmp_path), settings)

    assert said == (
        "complete: tiny\n"
        "not complete: transferred\n"
        "\n"
        "data/weights/net, for transferred\n"
        "    net.h5\n"
        "  published at\n"
        "    https://example.org/{name}\n"
        "  `dvc repro fetch_weights@net` says why it could not be had. To supply it, one of:\n"
        "    put the files into a folder and run again with IMAGO_MIRROR=<that folder>\n"
        "    name the folder under weights.net.sources in params.yaml: <that folder>/{name};\n"
        "      a file of another name is named, with its sha256, under weights.net.files\n"
        "    run `dvc pull`, if a DVC remote has it\n"
        "\n"
        "`dvc repro` stops at these, and with --keep-going goes past them. To do without:\n"
        "    imago remove transferred"
    )


def test_what_two_experiments_lack_is_said_once(settings, tmp_path):
    said = missing.explain(missing.gaps(settings, tmp_path), settings)

    assert re.findall("^data/raw/.*", said, re.MULTILINE) == [
        "data/raw/pets, for tiny, transferred"
    ]


def test_a_failed_stage_is_named(settings, tmp_path):
    make(tmp_path, *MADE["tiny"][:3])

    assert "models/tiny, for tiny\n  whose stage failed; `dvc repro train@tiny` says why" in (
        missing.explain(missing.gaps(settings, tmp_path), settings)
    )


@pytest.mark.parametrize(("made", "code"), [(MADE["tiny"], 0), (MADE["tiny"][:-1], 1)])
def test_the_command(tmp_path, monkeypatch, capsys, made, code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(TEXT, "utf-8")
    make(tmp_path, *made)

    assert cli.main(["missing"]) == code
    out = capsys.readouterr().out
    assert out.startswith("complete: tiny\n" if code == 0 else "complete: none\n")


def test_a_fault_in_params_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert cli.main(["missing"]) == 1
    assert capsys.readouterr().err == (
        "imago missing: params.yaml: not found; run imago's commands in the folder that holds it\n"
    )
