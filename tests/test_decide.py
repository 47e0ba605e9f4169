import pandas as pd
import pytest

from imago import cli, params
from imago.core import paths
from imago.core.errors import DataError, ParamsError
from imago.datasets.image_folder import decisions
from imago.project import check, decide
from imago.project.check import Staleness
from imago.sources import photo_folders
from tests.params_text import TEXT

PHOTOS = f"""
datasets:
  photos:
    layout: image_folder
    licence: MIT
    files: {{photos.zip: {"f" * 64}}}
    sources: [own]
    extract: {{test_fraction: 0.2, greatest_unreadable_fraction: 0.1, greatest_megapixels: 1}}
"""
PREPARE = """
prepare:
  photos32: {dataset: photos, image_size_px: 32, color: rgb, fit: crop, interpolation: area,
    validation_fraction: 0.0}
"""
WITH_PHOTOS = (
    TEXT.replace("\ndatasets:\n", PHOTOS)
    .replace("\nprepare:\n", PREPARE)
    .replace("weights: {}", "weights: {net: {files: {net.h5: unpublished}, sources: [own]}}")
    .replace(
        "backbones: {}",
        "backbones:\n"
        "  net32: {net: MobileNetV2, weights: net, image_size_px: 32, pooling: average}",
    )
    .replace("features: {}", "features: {seen: {variant: photos32, backbone: net32}}")
)
SUSPECTS = """path,class,split,suggested,probability,probability_of_class
cat/1.jpg,cat,train,dog,0.93,0.01
cat/2.jpg,cat,train,dog,0.6,0.2
cat/9.jpg,cat,test,dog,0.99,0.01
cat/3.jpg,cat,train,dog,0.45,0.4
cat/8.jpg,cat,validation,dog,0.4,0.35
"""
DUPLICATES = """path,class,split,other_path,other_class,other_split,kind,differing_bits
cat/4.jpg,cat,train,dog/4.jpg,dog,train,near,2
cat/1.jpg,cat,train,dog/1.jpg,dog,train,exact,0
dog/5.jpg,dog,train,dog/6.jpg,dog,test,near,1
dog/7.jpg,dog,train,dog/8.jpg,dog,train,near,1
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A project that DVC does not know, in which all is current."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(check, "staleness", Staleness)
    paths.PARAMS.write_text(WITH_PHOTOS, "utf-8")
    return tmp_path


def inspected(here):
    folder = here / paths.inspection("seen")
    folder.mkdir(parents=True)
    (folder / "suspects.csv").write_text(SUSPECTS, "utf-8")
    (folder / "duplicates.csv").write_text(DUPLICATES, "utf-8")
    (folder / "counts.csv").write_text("class,all\ncat,80\ndog,80\n", "utf-8")
    return folder


def test_a_draft_of_what_was_found(here):
    inspected(here)
    taken = decide.take_up("photos")
    assert taken.is_draft
    table = pd.read_csv("decisions/photos.csv", keep_default_na=False)
    assert table.to_numpy().tolist() == [
        ["cat/1.jpg", "label", "dog", "rather dog, 93%"],
        ["cat/2.jpg", "drop", "", "rather dog, 60%"],
        ["cat/4.jpg", "drop", "", "one picture as cat and dog"],
        ["dog/4.jpg", "drop", "", "one picture as cat and dog"],
        ["dog/5.jpg", "drop", "", "the same picture as dog/6.jpg, in another split"],
    ]
    extract = params.load().datasets["photos"].extract
    decisions.verify(paths.decisions("photos"), extract.decisions_sha256)


def test_classes_that_look_like_numbers_stay_names(here):
    folder = inspected(here)
    for name in ("suspects.csv", "duplicates.csv"):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(",dog,", ",00002,").replace(",cat,", ",1e5,"))
    (folder / "counts.csv").write_text("class,all\n00002,80\n1e5,80\n")
    found, _ = decide.draft(folder)
    assert {one.label for one in found} == {"00002", ""}
    assert "one picture as 1e5 and 00002" in {one.why for one in found}


def test_of_a_picture_in_validation_and_test_the_test_photo_stays(here):
    folder = inspected(here)
    head = DUPLICATES.splitlines()[0]
    row = "cat/6.jpg,cat,validation,cat/9.jpg,cat,test,exact,0"
    (folder / "duplicates.csv").write_text(f"{head}\n{row}\n")
    found = {one.photo: one.why for one in decide.draft(folder)[0]}
    assert found["cat/6.jpg"] == "the same picture as cat/9.jpg, in another split"
    assert "cat/9.jpg" not in found


def test_what_a_draft_leaves_out_is_said(here, capsys):
    """A model must not choose what it is tested on: what is left would look easier."""
    inspected(here)
    assert cli.main(["decide", "photos"]) == 0
    said = capsys.readouterr().out
    assert "left out 1 photo of which it is less sure\n" in said
    assert "left out 1 photo of validation: by these a model says how sure it may be\n" in said
    assert "left out 1 photo of the test: a model must not choose what it is tested on\n" in said
    assert "reports/data/seen/index.html shows all\n" in said


@pytest.mark.parametrize("cats", [40, 41])
def test_classes_that_cannot_be_told_apart_are_left_to_a_person(here, cats):
    """An eighth of a class are no wrong labels: a draft would make more than it mends."""
    folder = inspected(here)
    (folder / "counts.csv").write_text(f"class,all\ncat,{cats}\ndog,40\n")
    found, left_out = decide.draft(folder)
    why = (
        "of cat that look like dog: too many for wrong labels, so these may be classes that the "
        "features do not tell apart"
    )
    assert left_out.get(why) == (3 if cats == 40 else None)
    assert any(one.label for one in found) == (cats == 41)


def test_one_or_two_photos_are_not_too_many(here):
    folder = inspected(here)
    lines = (folder / "suspects.csv").read_text().splitlines()
    (folder / "suspects.csv").write_text("\n".join([*lines[:3], ""]))
    (folder / "counts.csv").write_text("class,all\ncat,7\ndog,7\n")
    found, left_out = decide.draft(folder)
    assert (found[0].photo, found[0].label, left_out) == ("cat/1.jpg", "dog", {})


def test_no_suspects_at_all(here):
    folder = inspected(here)
    head = SUSPECTS.splitlines()[0]
    (folder / "suspects.csv").write_text(f"{head}\n")
    found, left_out = decide.draft(folder)
    assert [one.photo for one in found][:2] == ["cat/4.jpg", "dog/4.jpg"]
    assert left_out == {}


@pytest.mark.parametrize("how", ["reasons", "followers", "never_run"])
def test_photos_that_have_changed_since_are_to_be_looked_at_again(here, monkeypatch, how):
    inspected(here)
    stage = "inspect@seen"
    stale = Staleness(**{how: {stage: ["x"]} if how == "reasons" else [stage]})
    monkeypatch.setattr(check, "staleness", lambda: stale)
    with pytest.raises(DataError, match=r"photos: has changed since .*; run `dvc repro inspect@s"):
        decide.take_up("photos")
    assert not paths.decisions("photos").exists()


def test_a_table_that_is_gone_is_held_to_no_more(here, capsys):
    inspected(here)
    decide.take_up("photos")
    paths.decisions("photos").unlink()
    assert cli.main(["decide", "photos"]) == 0
    assert capsys.readouterr().out == (
        "decisions/photos.csv is gone, and params.yaml holds to it no more\n"
        "For a new draft, run `dvc repro inspect@seen` and then this again.\n"
    )
    assert params.load().datasets["photos"].extract.decisions_sha256 is None
    assert "decisions_sha256" not in paths.PARAMS.read_text()
    assert decide.take_up("photos").decided


def test_nothing_to_draft_is_no_table(here, capsys):
    folder = inspected(here)
    for name, kept in (("suspects.csv", [0, 3, 4]), ("duplicates.csv", [0])):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([lines[row] for row in kept]) + "\n")
    before = paths.PARAMS.read_bytes()

    assert cli.main(["decide", "photos"]) == 0

    assert "nothing is sure enough to be drafted; nothing was written" in capsys.readouterr().out
    assert not paths.decisions("photos").exists()
    assert paths.PARAMS.read_bytes() == before


@pytest.mark.usefixtures("here")
def test_a_table_of_a_person_may_be_empty(capsys):
    table = paths.decisions("photos")
    table.parent.mkdir()
    table.write_text("photo,decision,label,why\n", "utf-8")

    assert cli.main(["decide", "photos"]) == 0

    said = capsys.readouterr().out
    assert said.startswith(f"{table}: photos to drop 0, to be given a label 0\n`dvc repro`")
    decisions.verify(table, params.load().datasets["photos"].extract.decisions_sha256)


def test_a_table_that_is_there_is_kept_and_taken_up(here):
    inspected(here)
    decide.take_up("photos")
    table = paths.decisions("photos")
    table.write_text("photo,decision,label,why\ncat/1.jpg,drop,,blurred\n", "utf-8")
    taken = decide.take_up("photos")
    assert (taken.is_draft, len(taken.decided)) == (False, 1)
    extract = params.load().datasets["photos"].extract
    decisions.verify(table, extract.decisions_sha256)
    assert "blurred" in table.read_text("utf-8")


def test_a_row_that_breaks_a_rule_is_not_taken_up(here):
    paths.decisions("photos").parent.mkdir()
    paths.decisions("photos").write_text("photo,decision,label,why\na,delete,,\n", "utf-8")
    with pytest.raises(DataError, match="line 2: must have a photo, and drop or label"):
        decide.take_up("photos")
    assert paths.PARAMS.read_text("utf-8") == WITH_PHOTOS


def test_nobody_has_looked_yet(here):
    with pytest.raises(DataError, match=r"photos: nobody has looked .*; run `dvc repro inspect@s"):
        decide.take_up("photos")
    assert not paths.decisions("photos").exists()


def test_other_data_sets(here):
    with pytest.raises(ParamsError, match=r"datasets\.pets: decisions are on photos, got layout"):
        decide.take_up("pets")
    with pytest.raises(ParamsError, match=r"unknown data set 'cats'; params.yaml has pets, photos"):
        decide.take_up("cats")


def listed(here, *names):
    """Say which photos the folder has of which the data set is, by a listing beside it."""
    path = here / paths.listing("photos")
    path.parent.mkdir()
    photo_folders.write_listing(path, dict.fromkeys(names, "a" * 64))


def test_a_draft_leaves_out_photos_that_are_no_longer_there(here):
    inspected(here)
    listed(here, "cat/2.jpg", "dog/4.jpg", "dog/5.jpg")
    decided = decide.take_up("photos").decided
    assert [one.photo for one in decided] == ["cat/2.jpg", "dog/4.jpg", "dog/5.jpg"]


def test_a_decision_on_a_photo_that_is_not_in_the_listing(here):
    listed(here, "cat/1.jpg", "dog/1.jpg")
    table = paths.decisions("photos")
    table.parent.mkdir()
    digest = "A" * 64  # of a photo that is there
    rows = f"{digest},drop,,\ncat/1.jpg,drop,,\ncat/9.jpg,drop,,\ncat/8.jpg,label,dog,\n"
    table.write_text(f"photo,decision,label,why\n{rows}", "utf-8")
    with pytest.raises(DataError, match=r"photos\.csv: cat/9\.jpg: must be .*; cat/8\.jpg: must"):
        decide.take_up("photos")
    assert params.load().datasets["photos"].extract.decisions_sha256 is None


def test_a_label_that_no_class_has(here):
    listed(here, "cat/1.jpg", "dog/1.jpg")
    table = paths.decisions("photos")
    table.parent.mkdir()
    table.write_text("photo,decision,label,why\ncat/1.jpg,label,Dog,\n", "utf-8")
    assert decide.take_up("photos").decided

    table.write_text("photo,decision,label,why\ncat/1.jpg,label,cow,\n", "utf-8")
    with pytest.raises(DataError, match="must be on a class, one of cat, dog, got cow"):
        decide.take_up("photos")


def test_a_folder_beside_a_table_is_known_by_its_listing(here):
    files = f"{{photos.tar: {'f' * 64}, labels.csv: {'f' * 64}}}"
    paths.PARAMS.write_text(WITH_PHOTOS.replace(f"{{photos.zip: {'f' * 64}}}", files), "utf-8")
    listed(here, "1.jpg", "2.jpg")
    table = paths.decisions("photos")
    table.parent.mkdir()
    table.write_text("photo,decision,label,why\nnope.jpg,drop,,\n", "utf-8")
    with pytest.raises(DataError, match=r"nope\.jpg: must be on a photo that is used, got none"):
        decide.take_up("photos")


def test_photos_are_counted_and_not_rows(here, capsys):
    table = paths.decisions("photos")
    table.parent.mkdir()
    rows = "cat/1.jpg,label,dog,\ncat/1.jpg,drop,,\ncat/2.jpg,label,dog,\n"
    table.write_text(f"photo,decision,label,why\n{rows}", "utf-8")
    assert cli.main(["decide", "photos"]) == 0
    assert "photos to drop 1, to be given a label 1\n" in capsys.readouterr().out
