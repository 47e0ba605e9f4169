"""How much was measured, and how large the model is."""

from imago.scoring.metric import Metric

METRICS = (
    Metric(
        name="examples",
        title="Test images",
        explanation="How many all of these were measured on.",
        kind="count",
        better=None,
        place=90,
        compute=lambda evaluation: len(evaluation.predictions.labels),
    ),
    Metric(
        name="parameters",
        title="Parameters",
        explanation="Numbers in the model's weights.",
        has_column=True,
        kind="count",
        better=None,  # a smaller model is cheaper, which is not to be as good
        place=90,
        compute=lambda evaluation: evaluation.parameters,
    ),
)
