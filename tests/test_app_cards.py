from app import cards
from app.texts import BY_LANGUAGE, ENGLISH

SPACE = "\N{NO-BREAK SPACE}"


def test_sections_of_a_card() -> None:
    found = {"accuracy": 0.975, "accuracy_low": 0.96, "accuracy_high": 0.98, "examples": 1000}
    assert cards.metrics(found, ENGLISH, "en") == [
        {"": "Right", " ": f"97.5{SPACE}%"},
        {"": "Right, 95 % interval", " ": f"96.0{SPACE}% – 98.0{SPACE}%"},
        {"": "Images", " ": "1,000"},
    ]
    assert cards.splits({"train": {"examples": 60000}, "x": 1}, "pt") == [
        {"": "train", " ": f"60{SPACE}000"}
    ]
    assert cards.settings({"a": {"b": 1, "c": {"d": [1, 2]}}, "e": None}) == [
        {"": "a.b", " ": "1"},
        {"": "a.c.d", " ": "1, 2"},
        {"": "e", " ": "None"},
    ]
    assert cards.exports({"litert": {"bytes": 1234, "exact": True}, "x": None}, "en") == [
        {"format": "litert", "bytes": "1,234", "exact": "True"}
    ]
    assert cards.sentences([{"about": "Size", "says": "Small."}, 7]) == [
        {"": "Size", " ": "Small."}
    ]


def test_balanced_accuracy_is_said_where_classes_are_unequal() -> None:
    found = {"accuracy": 0.9, "balanced_accuracy": 0.75}
    assert cards.metrics(found, ENGLISH, "en") == [{"": "Right", " ": f"90.0{SPACE}%"}]
    found |= {"balanced_accuracy_low": 0.7, "balanced_accuracy_high": 0.8}
    assert cards.metrics(found, ENGLISH, "en")[:2] == [
        {"": "Right of a class, on average", " ": f"75.0{SPACE}%"},
        {"": "Right of a class, 95 % interval", " ": f"70.0{SPACE}% – 80.0{SPACE}%"},
    ]


def test_the_sentence_is_of_classes_where_they_are_unequal() -> None:
    found = {"accuracy": 0.9, "balanced_accuracy": 0.75, "examples": 1200}
    assert cards.tested(found, ENGLISH, "en") == (
        f"It gives the right answer for 90.0{SPACE}% of 1,200 test images."
    )
    found |= {"balanced_accuracy_low": 0.7, "balanced_accuracy_high": 0.8}
    for language, texts in BY_LANGUAGE.items():
        first, last = (f"75.0{SPACE}%", f"90.0{SPACE}%") if language == "en" else ("75,0", "90,0")
        said = cards.tested(found, texts, language)
        assert 0 < said.index(first) < said.index(last)
