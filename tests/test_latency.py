import itertools

import numpy as np
import pytest

from imago.exports import latency

IMAGE = np.zeros((1, 2, 2, 1), np.uint8)
SAID = {
    "bytes": 1_234_567,
    "accuracy": 0.975,
    "same_class_as_keras": 1.0,
    "greatest_difference": 0.0000095,
}


def test_figures_are_those_of_the_calls_after_the_first(monkeypatch):
    calls, clock = [], itertools.count()
    monkeypatch.setattr(latency, "LONGEST_S", 1000.0)

    def perf_counter():  # the k-th measured call takes k ms
        tick = next(clock)
        return tick // 2 + (tick // 2 + 1) / 1000 * (tick % 2)

    monkeypatch.setattr(latency.time, "perf_counter", perf_counter)
    found = latency.measure(lambda image: calls.append(image), IMAGE)
    assert len(calls) == latency.WARM_UP_CALLS + latency.CALLS
    assert found == {"median_ms": pytest.approx(50.5), "p95_ms": pytest.approx(95.05)}


def test_a_slow_format_is_called_less_often(monkeypatch):
    clock = itertools.count(step=0.09)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(clock))
    calls = []
    latency.measure(lambda image: calls.append(image), IMAGE)
    assert len(calls) == latency.WARM_UP_CALLS + 4


def test_table():
    figures = {"1": {"median_ms": 0.00531, "p95_ms": 1}, "2": {"median_ms": 12.34, "p95_ms": 50}}
    formats, latencies = {"litert": SAID, "onnx": SAID}, {"litert": figures, "onnx": figures}
    assert latency.table(formats, latencies).splitlines() == [
        "format    MB  accuracy  same class  difference  ms, 1 thread  ms, 2 threads",
        "litert  1.23    0.9750      1.0000     9.5e-06       0.00531           12.3",
        "onnx    1.23    0.9750      1.0000     9.5e-06       0.00531           12.3",
    ]
