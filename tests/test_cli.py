import photo_archives
import pytest

from imago import cli, commands
from imago.datasets.image_folder import folders
from imago.project import add


@pytest.fixture(autouse=True)
def calls(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo_archives.write(tmp_path / "My birds.zip", {"owl/1.jpg": b"x", "wren/1.jpg": b"x"})
    made = []

    def added(archive, name, like, beside, net):
        made.append((str(archive), name, like))
        is_new = name != "known"
        found = folders.arrange(["owl/1.jpg", "wren/1.jpg", "wren/2.jpg"], "")
        name = name or add.name_for(archive)
        return add.AddedPhotos(name, name, f"{name}128", found, is_new)

    monkeypatch.setattr(add, "photos", added)
    return made


def test_a_share_in_the_help_of_a_command_is_no_format(monkeypatch, capsys):
    monkeypatch.setattr(cli.registry.load(commands, "tidy"), "__doc__", "Keep 20 % of it.")
    for words in (["--help"], ["tidy", "--help"]):
        with pytest.raises(SystemExit, match=r"^0$"):
            cli.main(words)
        assert "eep 20 % of it" in capsys.readouterr().out


def test_add(calls, capsys):
    assert cli.main(["add", "My birds.zip", "--name", "birds", "--like", "pets"]) == 0

    assert calls == [("My birds.zip", "birds", "pets")]
    assert capsys.readouterr().out == (
        "My birds.zip: 3 photos of 2 classes: owl, wren\n"
        "            photos\n"
        "  owl            1\n"
        "  wren           2\n"
        "one photo is too few for training and test: owl; add photos\n"
        "added to params.yaml, as birds, like pets\n"
        "Look at params.yaml, and then run\n"
        "\n"
        "    dvc repro report@birds\n"
        "\n"
        "which writes reports/birds/index.html.\n"
    )


def test_add_again(capsys):
    assert cli.main(["add", "My birds.zip", "--name", "known"]) == 0

    assert (
        "params.yaml had it before, and now has its present sha256 and place; the values that "
        "were chosen for it stay, with reasons of that time\n" in capsys.readouterr().out
    )


def test_the_name_is_that_of_the_zip(calls, capsys):
    cli.main(["add", "My birds.zip"])
    assert calls == [("My birds.zip", None, None)]
    assert "report@My_birds" in capsys.readouterr().out


def test_a_failure_is_one_line(monkeypatch, capsys):
    monkeypatch.undo()
    assert cli.main(["add", "none.zip"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("imago add: ")
    assert printed.err.count("\n") == 1
