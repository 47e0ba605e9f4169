"""Optimizers and learning-rate schedules by their names in params.yaml."""

import keras

from imago.core import sections


def build(settings: sections.Optimization, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Build the optimizer of a `train` section, with its learning-rate schedule.

    Args:
        settings: Names the optimizer, its learning rate, momentum, weight decay and schedule.
        steps_per_epoch: Turns the schedule's epochs into steps.
    """
    options = {
        "learning_rate": _learning_rate(settings, steps_per_epoch),
        "momentum": settings.momentum,
        "weight_decay": settings.weight_decay,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return keras.optimizers.get({"class_name": settings.optimizer, "config": given})


def _learning_rate(
    settings: sections.Optimization, steps_per_epoch: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    match settings.learning_rate_schedule:
        case sections.CosineDecay() as cosine:
            return keras.optimizers.schedules.CosineDecay(
                initial_learning_rate=0.0 if cosine.warmup_epochs else settings.learning_rate,
                warmup_target=settings.learning_rate if cosine.warmup_epochs else None,
                warmup_steps=cosine.warmup_epochs * steps_per_epoch,
                decay_steps=(settings.epochs - cosine.warmup_epochs) * steps_per_epoch,
                alpha=cosine.final_fraction,
            )
        case sections.ExponentialDecay() as exponential:
            return keras.optimizers.schedules.ExponentialDecay(
                initial_learning_rate=settings.learning_rate,
                decay_steps=exponential.every_epochs * steps_per_epoch,
                decay_rate=exponential.factor,
            )
    return settings.learning_rate
