import difflib
import hashlib
import os
import re
import shutil
import tarfile
from pathlib import Path

import photo_archives
import pytest

from imago import cli, params
from imago.core.errors import DataError, ParamsError
from imago.project import add

TEXT = """\
# What is run here.
seed: 20

datasets:
  pets:  # two kinds
    layout: image_folder
    licence: MIT
    files: {"pets.zip": HASH}
    sources: [photos]
    extract: {test_fraction: 0.3, greatest_unreadable_fraction: 0.05, greatest_megapixels: 100}

# Sizes.
prepare:
  pets32:
    dataset: pets
    image_size_px: 32
    color: rgb
    fit: crop
    interpolation: area
    validation_fraction: 0.2
    limit_per_class: {train: 20}

weights:
  some: {files: {w.h5: HASH}, sources: [photos]}

backbones:
  mobile32: {net: MobileNetV2, weights: some, image_size_px: 32, pooling: average}

features:
  pets32_mobile: {variant: pets32, backbone: mobile32}
  # the last of them

exports:
  small: {formats: [litert], greatest_difference: 0.01, greatest_accuracy_loss: 0.02,
    calibration_images: 8}
experiments:
  pets_mobile:
    input: features/pets32_mobile
    pixels: prepared/pets32
    train:
      model: transfer
      hidden_units: [3]
      dropout: 0.5
      optimizer: sgd
      learning_rate: 0.1
      epochs: 2
      batch_size: 9
      jit_compile: false
    export: small
  pets_pixels:
    input: prepared/pets32
    pixels: prepared/pets32
    train:
      model: mlp
      normalization: rescale
      hidden_units: [3]
      dropout: 0.5
      optimizer: sgd
      learning_rate: 0.1
      epochs: 2
      batch_size: 9
      jit_compile: false
    export: small
""".replace("HASH", "f" * 64)

BIRDS = ["birds/owl/1.jpg", "birds/owl/2.jpg", "birds/wren/1.jpg"]
SPLIT_BIRDS = [f"{split}/{name}/1.jpg" for split in ("train", "val", "test") for name in ("a", "b")]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(TEXT, "utf-8")
    return tmp_path


def zip_of(names=BIRDS, path=Path("birds.zip")):
    path.parent.mkdir(exist_ok=True)
    return photo_archives.write(path, dict.fromkeys(names, b"x"))


def test_what_is_added():
    archive = zip_of()
    added = add.photos(archive, "birds", "pets_mobile")

    assert (added.experiment, added.variant, added.is_new) == ("birds", "birds32", True)
    assert added.arrangement.counts() == {"owl": {"train": 2}, "wren": {"train": 1}}
    settings = params.load()
    dataset = settings.datasets["birds"]
    assert dataset.files == {"birds.zip": hashlib.sha256(archive.read_bytes()).hexdigest()}
    assert dataset.sources == ["./{name}"]
    assert dataset.licence == "of your own"
    assert dataset.extract.test_fraction == 0.2
    assert dataset.extract.validation_fraction == 0.2  # of the variant that is copied
    assert dataset.extract.keep_together
    assert dataset.extract.greatest_unreadable_fraction == 0.05
    old = settings.prepare["pets32"]
    assert settings.prepare["birds32"] == old.model_copy(
        update={"dataset": "birds", "limit_per_class": None, "validation_fraction": 0.0}
    )
    features = settings.features["pets32_mobile"].model_copy(update={"variant": "birds32"})
    assert settings.features["birds32_mobile"] == features
    experiment = settings.experiments["birds"]
    assert (experiment.input, experiment.pixels) == ("features/birds32_mobile", "prepared/birds32")
    assert experiment.train == settings.experiments["pets_mobile"].train


def test_no_other_line_changes(here):
    add.photos(zip_of(), "birds", "pets_mobile")
    after = (here / "params.yaml").read_text("utf-8")
    lines = difflib.ndiff(TEXT.splitlines(), after.splitlines())

    assert {line[0] for line in lines} == {" ", "+"}
    assert "  pets32_mobile: {variant: pets32, backbone: mobile32}" in after
    assert "  birds32_mobile: {variant: birds32, backbone: mobile32}\n" in after
    assert after.index("birds32_mobile:") < after.index("# the last of them")


def test_line_ends_stay_as_they_are(here):
    (here / "params.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())

    add.photos(zip_of(), "birds", "pets_mobile")

    lines = (here / "params.yaml").read_bytes().splitlines(keepends=True)
    assert len(lines) > len(TEXT.splitlines())
    assert all(line.endswith(b"\r\n") for line in lines)


def test_a_zip_that_has_changed_is_taken_as_it_is_now(here):
    add.photos(zip_of(), "birds", "pets_mobile")
    before = (here / "params.yaml").read_text("utf-8")
    archive = zip_of(names=[*BIRDS, "birds/wren/more.jpg"])

    added = add.photos(archive, "birds", "pets_mobile")

    assert (len(added.arrangement.places), added.is_new) == (4, False)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert params.load().datasets["birds"].files == {"birds.zip": digest}
    changed = [
        (old, new)
        for old, new in zip(
            before.splitlines(),
            (here / "params.yaml").read_text("utf-8").splitlines(),
            strict=True,
        )
        if old != new
    ]
    assert len(changed) == 1


def test_a_zip_that_was_moved_is_fetched_from_where_it_lies_now(here):
    add.photos(zip_of(), "birds", "pets_mobile")
    Path("birds.zip").unlink()
    archive = zip_of(names=[*BIRDS, "birds/wren/more.jpg"], path=Path("new/birds.zip"))

    assert not add.photos(archive, "birds", "pets_mobile").is_new

    dataset = params.load().datasets["birds"]
    assert dataset.sources == ["./new/{name}"]
    assert dataset.files == {"birds.zip": hashlib.sha256(archive.read_bytes()).hexdigest()}


def test_one_zip_under_two_names_stays_two_data_sets():
    archive = zip_of()
    before = hashlib.sha256(archive.read_bytes()).hexdigest()
    add.photos(archive, "birds", "pets_mobile")
    add.photos(archive, "owls", "pets_mobile")
    zip_of(names=[*BIRDS, "birds/wren/more.jpg"])

    add.photos(archive, "owls", "pets_mobile")

    after = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert params.load().datasets["birds"].files == {"birds.zip": before}
    assert params.load().datasets["owls"].files == {"birds.zip": after}


def test_what_is_taken_and_what_is_left_out_is_said(capsys):
    three = ("train/{}/1.jpg", "train/{}/2.jpg", "test/{}/3.jpg")
    names = [path.format(name) for path in three for name in ("owl", "wren")]
    zip_of([*names, "test/wren/4.jpg", "train/owl/.1.jpg", "train/owl/._1.jpg", "a.md", "b.md"])

    assert cli.main(["add", "birds.zip", "--like", "pets_pixels"]) == 0

    assert capsys.readouterr().out.splitlines()[:8] == [
        "birds.zip: 7 photos of 2 classes: owl, wren",
        "             train        test",
        "  owl            2           1",
        "  wren           2           2",
        "left out: 2 no image by its name, such as a.md",
        "left out: 1 hidden, or in a hidden folder: train/owl/.1.jpg",
        "left out: 1 left by an operating system: train/owl/._1.jpg",
        "added to params.yaml, as birds, like pets_pixels",
    ]


def test_many_classes_are_a_table_of_some(capsys):
    zip_of([f"{n:03}/{m}.jpg" for n in range(40) for m in range(n + 1)])

    assert cli.main(["add", "birds.zip", "--like", "pets_pixels"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["           photos", "  000           1"]
    assert lines[32] == "  and 10 more classes; all have 1 to 40 photos"


def test_what_has_another_name_now_is_renewed():
    add.photos(zip_of(), "birds", "pets_mobile")
    Path("birds.zip").rename("2026.zip")
    assert not add.photos(Path("2026.zip"), "birds", "pets_mobile").is_new
    assert list(params.load().datasets["birds"].files) == ["2026.zip"]

    assert not add.photos(folder_of(), "birds", "pets_mobile").is_new
    assert list(params.load().datasets["birds"].files) == ["birds.tar"]
    assert params.load().datasets["birds"].sources == ["folder:./photos/birds"]
    assert Path("listings/birds.csv").exists()

    assert not add.photos(Path("2026.zip"), "birds", "pets_mobile").is_new
    assert params.load().datasets["birds"].sources == ["./{name}"]
    assert not Path("listings/birds.csv").exists()
    assert len(params.load().experiments) == 3


@pytest.mark.parametrize("name", ["birds", "birds.zip"])
def test_other_photos_of_the_same_name_are_no_renewal_unless_they_are_named(name):
    of = zip_of if name.endswith(".zip") else folder_of
    first = of(path=Path("a", name))
    add.photos(first, None, "pets_mobile")
    before = Path("params.yaml").read_bytes()
    second = {"crow/8.jpg": b"a crow", "jay/9.jpg": b"a jay"}
    if name == "birds":
        second = folder_of(list(second), Path("b/birds"))
    else:
        Path("b").mkdir()
        second = photo_archives.write(Path("b/birds.zip"), second)

    message = f"an entry birds already, of {first}, with which these photos have none in common"
    with pytest.raises(ParamsError, match=re.escape(message)):
        add.photos(second, None, "pets_mobile")

    assert Path("params.yaml").read_bytes() == before
    assert not add.photos(second, "birds", "pets_mobile").is_new
    assert "./b/" in params.load().datasets["birds"].sources[0]


def test_a_folder_with_some_of_the_photos_is_the_same_one_elsewhere():
    add.photos(folder_of(path=Path("a/birds")), None, "pets_mobile")
    more = folder_of([*BIRDS, "birds/wren/more.jpg"], Path("b/birds"))

    added = add.photos(more, None, "pets_mobile")

    assert not added.is_new
    assert added.difference.startswith("1 new: ")


def test_another_archive_beside_of_the_same_name_is_another():
    add.photos(zip_of(), None, "pets_mobile")
    with tarfile.open("birds.tar", "w") as tar:
        for kind in ("crow", "jay"):
            Path(f"{kind}.jpg").write_text(kind)
            tar.add(f"{kind}.jpg", f"{kind}/1.jpg")

    with pytest.raises(ParamsError, match="with which these photos have none in common"):
        add.photos(Path("birds.tar"), None, "pets_mobile")


def test_photos_that_are_others_altogether_are_a_renewal_in_their_place():
    folder = folder_of(path=Path("a/birds"))
    add.photos(folder, None, "pets_mobile")
    shutil.rmtree(folder)

    assert not add.photos(
        folder_of(["crow/8.jpg", "jay/9.jpg"], folder), None, "pets_mobile"
    ).is_new


def test_photos_that_are_others_altogether_are_a_renewal_where_those_are_gone():
    add.photos(folder_of(path=Path("a/birds")), None, "pets_mobile")
    shutil.rmtree("a")
    others = folder_of(["crow/8.jpg", "jay/9.jpg"], Path("b/birds"))

    assert not add.photos(others, None, "pets_mobile").is_new


def test_a_folder_whose_name_stands_for_a_file():
    folder = folder_of(path=Path("{name}/birds"))
    with pytest.raises(DataError, match=r"no folder around may be called \{name\}; rename it"):
        add.photos(folder, "birds", "pets_mobile")


@pytest.mark.parametrize("name", ["birds", "birds.zip"])
def test_an_archive_with_some_of_the_photos_is_the_same_one_elsewhere(name):
    """Packed anew, or unpacked."""
    first = {f"{kind}/{n}.jpg": f"{kind}{n}".encode() for kind in ("owl", "wren") for n in (1, 2)}
    photo_archives.write(Path("birds.zip"), first)
    add.photos(Path("birds.zip"), None, "pets_mobile")
    second = first | {"owl/1.jpg": b"another", "owl/3.jpg": b"new"}
    Path("b").mkdir()
    if name == "birds.zip":
        photo_archives.write(Path("b/birds.zip"), second)
    for path, content in second.items() if name == "birds" else ():
        Path("b/birds", path).parent.mkdir(parents=True, exist_ok=True)
        Path("b/birds", path).write_bytes(content)

    assert not add.photos(Path("b", name), None, "pets_mobile").is_new


def test_a_folder_has_its_whole_name():
    folder = folder_of(path=Path("birds.2026"))

    assert add.photos(folder, None, "pets_mobile").dataset == "birds_2026"


def test_what_comes_from_elsewhere_is_not_renewed(here):
    text = TEXT.replace("pets_pixels:", "pets:").replace("[photos]", "[https://host/a]")
    (here / "params.yaml").write_text(text, "utf-8")
    with pytest.raises(ParamsError, match="an entry pets already"):
        add.photos(zip_of(path=Path("pets.zip")), "pets", "pets_mobile")


def test_two_may_be_added():
    add.photos(zip_of(), "birds", "pets_mobile")
    add.photos(zip_of(path=Path("owls.zip")), "owls", "birds")

    assert list(params.load().experiments) == ["pets_mobile", "pets_pixels", "birds", "owls"]
    assert params.load().experiments["owls"].input == "features/owls32_mobile"


def test_an_experiment_on_pixels_needs_no_features():
    add.photos(zip_of(), "birds", "pets_pixels")

    assert params.load().experiments["birds"].input == "prepared/birds32"
    assert list(params.load().features) == ["pets32_mobile"]


def test_floors_are_those_of_the_other_experiment(here):
    floored = f"{TEXT}    floors: {{accuracy: 0.9}}\n"  # of the last one
    (here / "params.yaml").write_text(floored, "utf-8")
    add.photos(zip_of(), "birds", "pets_pixels")

    assert params.load().experiments["pets_pixels"].floors == {"accuracy": 0.9}
    assert params.load().experiments["birds"].floors is None


def test_split_folders_are_used_as_they_are():
    add.photos(zip_of(SPLIT_BIRDS), "birds", "pets_mobile")

    extract = params.load().datasets["birds"].extract
    assert (extract.test_fraction, extract.validation_fraction) == (None, None)
    assert not extract.keep_together
    assert params.load().prepare["birds32"].validation_fraction == 0.0


def test_the_zip_is_fetched_from_where_it_lies(here, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    add.photos(zip_of(path=Path("photos/a.zip")), "a", "pets_mobile")
    add.photos(zip_of(path=here / "photos/b.zip"), "b", "pets_mobile")
    add.photos(zip_of(path=elsewhere / "c.zip"), "c", "pets_mobile")

    datasets = params.load().datasets
    assert datasets["a"].sources == ["./photos/{name}"]
    assert datasets["b"].sources == ["./photos/{name}"]
    assert datasets["c"].sources == [f"{elsewhere}/{{name}}"]


@pytest.mark.parametrize(
    ("names", "name", "like", "error", "message"),
    [
        pytest.param(BIRDS, "pets", "pets_mobile", ParamsError, "an entry pets already", id="name"),
        pytest.param(
            BIRDS,
            "birds",
            "cars",
            ParamsError,
            "or recipe 'cars'",
            id="experiment",
        ),
        pytest.param(
            BIRDS, "my birds", "pets_mobile", ParamsError, "must be of letters", id="space"
        ),
        pytest.param(BIRDS, "", "pets_mobile", ParamsError, "got ''; give one with", id="empty"),
        pytest.param(BIRDS, "1e5", "pets_mobile", ParamsError, "with a letter", id="number"),
        pytest.param(
            ["owl/1.jpg"], "birds", "pets_mobile", DataError, "two or more classes", id="one class"
        ),
        pytest.param(
            ["../a/1.jpg", "b/1.jpg"], "birds", "pets_mobile", DataError, "must stay", id="hostile"
        ),
    ],
)
def test_a_failure_changes_nothing(here, names, name, like, error, message):
    with pytest.raises(error, match=re.escape(message)):
        add.photos(zip_of(names), name, like)
    assert (here / "params.yaml").read_text("utf-8") == TEXT


def test_a_tar_is_as_good_as_a_zip():
    with tarfile.open("birds.tar.xz", "w:xz") as archive:
        for name in BIRDS:
            archive.addfile(tarfile.TarInfo(name))
    added = add.photos(Path("birds.tar.xz"), "birds", "pets_mobile")

    assert added.arrangement.counts() == {"owl": {"train": 2}, "wren": {"train": 1}}
    assert list(params.load().datasets["birds"].files) == ["birds.tar.xz"]


def folder_of(names=BIRDS, path=Path("photos/birds")):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(os.fsencode(name))
    return path


def test_a_folder_is_pinned_photo_by_photo():
    names = [*BIRDS, "birds/notes.txt", "birds/.thumbnails/1.jpg"]
    added = add.photos(folder_of(names), "birds", "pets_mobile")

    assert added.arrangement.counts() == {"owl": {"train": 2}, "wren": {"train": 1}}
    assert added.arrangement.unused == {
        "birds/notes.txt": "no image by its name",
        "birds/.thumbnails/": "left by an operating system",
    }
    dataset = params.load().datasets["birds"]
    assert list(dataset.files) == ["birds.tar"]
    assert dataset.sources == ["folder:./photos/birds"]
    assert Path("listings/birds.csv").read_text("utf-8").splitlines() == [
        "path,sha256",
        *(f"{name},{hashlib.sha256(name.encode()).hexdigest()}" for name in sorted(BIRDS)),
    ]


def test_a_folder_elsewhere(tmp_path_factory):
    folder = folder_of(path=tmp_path_factory.mktemp("elsewhere") / "birds")
    add.photos(folder, "birds", "pets_mobile")

    assert params.load().datasets["birds"].sources == [f"folder:{folder}"]


def test_a_folder_above(here, monkeypatch):
    folder_of()
    (here / "work").mkdir()
    (here / "params.yaml").rename(here / "work/params.yaml")
    monkeypatch.chdir(here / "work")
    add.photos(Path("../photos/birds"), "birds", "pets_mobile")

    assert params.load().datasets["birds"].sources == [f"folder:{here}/photos/birds"]


def test_the_digest_of_a_folder_is_that_of_its_photos(tmp_path_factory):
    add.photos(folder_of(), "birds", "pets_mobile")
    other = folder_of(BIRDS[::-1], tmp_path_factory.mktemp("other") / "vögel")
    (other / "birds/.DS_Store").touch()
    add.photos(other, "owls", "pets_mobile")

    (one,), (another,) = (params.load().datasets[key].files.values() for key in ("birds", "owls"))
    assert one == another


def test_a_folder_that_has_changed_says_how(capsys):
    folder = folder_of()
    assert cli.main(["add", str(folder), "--like", "pets_pixels"]) == 0
    (before,) = params.load().datasets["birds"].files.values()
    (folder / "birds/owl/1.jpg").write_bytes(b"changed")
    (folder / "birds/owl/2.jpg").unlink()
    folder_of(["birds/wren/9.jpg"])
    capsys.readouterr()

    assert cli.main(["add", str(folder), "--like", "pets_pixels"]) == 0

    said = capsys.readouterr().out
    assert (
        "since it was added: 1 new: birds/wren/9.jpg; 1 changed: birds/owl/1.jpg; "
        "1 missing: birds/owl/2.jpg\n"
    ) in said
    assert "listings/birds.csv lists the photos with their sha256; git should keep it" in said
    (after,) = params.load().datasets["birds"].files.values()
    assert before != after


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["owl/1.jpg", "wren/1.jpg", "owl/A.jpg", "owl/a.jpg"], "must differ by more than case"),
        (["owl/1.jpg", "wren/caf\udce9.jpg"], "name must be UTF-8; rename it"),
        (["owl/1.jpg", "wren/1.jpg", "hen/1.cr2"], "must have photos, got none in hen"),
    ],
)
def test_a_folder_that_cannot_be_taken(here, names, message):
    with pytest.raises(DataError, match=message):
        add.photos(folder_of(names), "birds", "pets_mobile")
    assert (here / "params.yaml").read_text("utf-8") == TEXT
    assert not Path("listings").exists()


TABLE = "path,label,split,group\n1.jpg,owl,train,a\n2.jpg,wren,train,\n3.jpg,owl,test,b\n"


@pytest.mark.parametrize("place", ["folder", "zip"])
def test_a_table_beside_photos(place, capsys):
    Path("labels.csv").write_text(TABLE)
    names = ["images/1.jpg", "images/2.jpg", "images/3.jpg", "images/4.jpg"]
    birds = folder_of(names) if place == "folder" else zip_of(names)

    assert cli.main(["add", "labels.csv", str(birds), "--like", "pets_pixels"]) == 0

    said = capsys.readouterr().out
    assert "  owl            1           1\n  wren           1           0\n" in said
    assert "left out: 1 not in the table: images/4.jpg\n" in said
    dataset = params.load().datasets["birds"]
    assert dataset.files["labels.csv"] == hashlib.sha256(TABLE.encode()).hexdigest()
    assert dataset.sources == (
        ["folder:./photos/birds", "./{name}"] if place == "folder" else ["./{name}"]
    )
    assert dataset.extract.test_fraction is None


def test_several_with_a_name_are_one_data_set():
    zip_of(["owl/1.jpg", "wren/1.jpg"], Path("a/train.zip"))
    zip_of(["owl/2.jpg", "wren/2.jpg"], Path("b/test.zip"))
    words = ["a/train.zip", "b/test.zip", "--name", "birds", "--like", "pets_pixels"]

    assert cli.main(["add", *words]) == 0

    dataset = params.load().datasets["birds"]
    assert sorted(dataset.files) == ["test.zip", "train.zip"]
    assert dataset.sources == ["./a/{name}", "./b/{name}"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["labels.csv"], "labels.csv is a table; name the folder or the archive of its photos"),
        (
            ["cifar10_cnn", "--name", "x"],
            "--name, --like and --backbone are for photos of your own",
        ),
        (
            ["a/x.zip", "b/x.zip", "--name", "x", "--like", "pets_pixels"],
            "archives with names of their own, got a/x.zip, b/x.zip; put them into one folder",
        ),
    ],
)
def test_words_that_do_not_go_together(words, message, capsys, monkeypatch):
    monkeypatch.setattr(add.recipes, "names", lambda: ["cifar10_cnn"])
    Path("labels.csv").write_text(TABLE)
    for folder in "ab":
        zip_of([f"owl/{folder}.jpg", f"wren/{folder}.jpg"], Path(folder, "x.zip"))

    assert cli.main(["add", *words]) == 1
    assert message in capsys.readouterr().err


def test_no_zip():
    with pytest.raises(DataError, match=r"birds\.zip: not found"):
        add.photos(Path("birds.zip"), "birds", "pets_mobile")


def test_no_params(here):
    (here / "params.yaml").unlink()
    with pytest.raises(ParamsError, match="not found; run imago's commands in the folder"):
        add.photos(zip_of(), "birds", "pets_mobile")


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("birds", "birds"),
        ("My birds (2)", "My_birds_2"),
        ("-x-", "x"),
        ("vögel", "vögel"),
        ("e\u0301te\u0301", "été"),  # letters with marks of their own, as macOS has them
        ("写真 (1)", "写真_1"),
        ("()", ""),
    ],
)
def test_name_for(stem, name):
    assert add.name_for(Path(f"some/{stem}.zip")) == name
    assert add.name_for(Path(f"some/{stem}.tar.gz")) == name


@pytest.mark.parametrize("name", ["null", "true", "False"])
def test_a_name_that_is_none_to_yaml_is_refused_in_one_line(name):
    with pytest.raises(ParamsError) as caught:
        add.photos(zip_of(), name, "pets_mobile")
    message = f"a name must not look like a number, a date or a word of YAML, got '{name}'; give"
    assert str(caught.value) == f"{message} one with --name"


def test_photos_are_renewed_after_their_experiment_was_renamed(here):
    folder = folder_of()
    add.photos(folder, "birds", "pets_pixels")
    text = (here / "params.yaml").read_text("utf-8")
    (here / "params.yaml").write_text(text.replace("\n  birds:\n    input", "\n  owls:\n    input"))
    assert "birds" not in params.load().experiments
    (folder / "birds/owl/2.jpg").unlink()
    before = params.load().datasets["birds"].files

    with pytest.raises(ParamsError, match=r"owls already, on the photos of birds; --name birds"):
        add.photos(folder, "owls", "pets_pixels")
    added = add.photos(folder, "birds", "pets_pixels")

    assert (added.is_new, added.experiment, added.variant) == (False, "owls", "birds32")
    assert "1 missing" in added.difference
    assert params.load().datasets["birds"].files != before


def test_a_data_set_of_other_files_is_not_renewed(here):
    add.photos(zip_of(path=Path("photos/birds.zip")), "birds", "pets_pixels")
    text = (here / "params.yaml").read_text("utf-8")
    (here / "params.yaml").write_text(text.replace("\n  birds:\n    input", "\n  owls:\n    input"))
    with pytest.raises(ParamsError, match="datasets has an entry birds already"):
        add.photos(zip_of(path=Path("photos/other.zip")), "birds", "pets_pixels")


def test_a_class_of_one_photo_is_told(capsys):
    assert cli.main(["add", str(zip_of()), "--like", "pets_pixels", "--name", "birds"]) == 0
    said = capsys.readouterr().out
    assert "one photo is too few for training and test: wren; add photos\n" in said


def test_a_class_of_one_photo_with_a_test_folder_is_none_to_tell(capsys):
    folder = str(zip_of(SPLIT_BIRDS))
    assert cli.main(["add", folder, "--like", "pets_pixels", "--name", "birds"]) == 0
    assert "too few" not in capsys.readouterr().out
