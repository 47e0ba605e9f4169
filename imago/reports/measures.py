"""The figures in metrics/<experiment>.json: what each is called and what it says, in a line."""

from dataclasses import dataclass

from imago.reports.numbers import Kind


@dataclass(frozen=True)
class Measure:
    """How a figure is shown.

    Attributes:
        key: Its key in metrics/<experiment>.json.
        title: Its name for people.
        kind: How its value is written.
        explanation: What it says, and which way is better.
    """

    key: str
    title: str
    kind: Kind
    explanation: str


KNOWN = (
    Measure("accuracy", "Accuracy", "share", "Share of the test images that are named right."),
    Measure(
        "accuracy_low",
        "Accuracy, lower end",
        "share",
        "The 95 % interval begins here: what as many other test images might have shown.",
    ),
    Measure("accuracy_high", "Accuracy, upper end", "share", "The 95 % interval ends here."),
    Measure(
        "balanced_accuracy",
        "Balanced accuracy",
        "share",
        "Accuracy if every class had as many test images: the mean recall of the classes.",
    ),
    Measure(
        "top_3_accuracy",
        "Top-3 accuracy",
        "share",
        "How often the true class is among the three most probable.",
    ),
    Measure(
        "top_5_accuracy",
        "Top-5 accuracy",
        "share",
        "How often the true class is among the five most probable.",
    ),
    Measure(
        "macro_f1",
        "Macro F1",
        "share",
        "Mean over the classes of F1, which is high where both precision and recall are.",
    ),
    Measure(
        "weighted_f1",
        "Weighted F1",
        "share",
        "The same, each class counting as often as it has test images.",
    ),
    Measure(
        "roc_auc",
        "ROC AUC",
        "number",
        "How well probabilities rank images of a class above others; 0.5 is chance, 1 the best.",
    ),
    Measure(
        "loss",
        "Loss",
        "number",
        "Cross-entropy in nats: how surprised it is by the true classes; lower is better.",
    ),
    Measure(
        "brier_score",
        "Brier score",
        "number",
        "Mean squared error of the probabilities, 0 to 2; lower is better.",
    ),
    Measure(
        "expected_calibration_error",
        "Calibration error",
        "share",
        "How far stated probabilities are from how often they come true, on average; 0 is best.",
    ),
    Measure("examples", "Test images", "count", "How many all of these were measured on."),
    Measure("parameters", "Parameters", "count", "Numbers in the model's weights."),
)
_BY_KEY = {measure.key: measure for measure in KNOWN}


def of(key: str) -> Measure:
    """Say how a figure is shown; one that is not known is called by its key."""
    title = key.replace("_", " ").capitalize()
    return _BY_KEY.get(key, Measure(key, title, "number", ""))
