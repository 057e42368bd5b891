"""The tasks' orders in the report, against the records they come from."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.evaluation.records.records import read_records, write_record
from softshare.report.findings import Findings
from softshare.report.ordering import MOST_TASKS, apart, orders
from softshare.report.page import write_report
from softshare.report.style import drawing
from tests.report.conftest import Page
from tests.report.sample_records import Sample, write_sample, written


def hard(order: tuple[int, ...]) -> list[list[float]]:
    return [[float(layer == chosen) for layer in range(len(order))] for chosen in order]


def soft(n_tasks: int, *, seed: int = 0, sharpness: float = 1.0) -> np.ndarray:
    logits = sharpness * np.random.default_rng(seed).normal(size=(n_tasks, 3, 3))
    return np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)


def with_orders(out, sample: Sample, diagnostics: dict[str, list]) -> Findings:
    """Records in which some methods have an order: method → values, and at two steps before."""
    write_sample(out, sample)
    for path in (out / "records").glob("*.json"):
        record = written(path)
        if values := diagnostics.get(record["settings"]["method"]):
            history = [
                {"step": 10 * (number + 1), "values": value} for number, value in enumerate(values)
            ]
            record["sharing"]["ordering"] = {
                "core.scales": {
                    "axes": ["depth", "layer"],
                    "values": values[-1],
                    "history": history,
                }
            }
            write_record(path.parent, record)
    return Findings(read_records(out / "records"))


def plates(comparison: Findings) -> list:
    with drawing():
        return list(orders(comparison))


def test_each_tasks_strongest_path_is_told(tmp_path):
    sample = Sample(
        tasks={"a": "binary", "b": "binary"}, methods=("independent", "tied", "tucker"), seeds=2
    )
    permuted = [hard((2, 0, 1)), hard((0, 1, 2))]
    comparison = with_orders(tmp_path, sample, {"tucker": [permuted, permuted]})
    (plate,) = plates(comparison)
    assert plate.title == "Order of the layers with tucker"
    assert plate.spoken == "a: layer 3 → layer 1 → layer 2; b: layer 1 → layer 2 → layer 3"
    assert "a scale of 1.00" in plate.caption
    assert "seed 0" in plate.caption
    page = Page(write_report(tmp_path).read_text(encoding="utf-8"))
    assert "Who applies which layer where" in page.of("h2")
    assert plate.spoken in page.attributes("aria-label")
    assert "#order" in page.attributes("href")


def test_one_order_for_all_and_none_at_all_are_not_drawn(tmp_path, page_of):
    sample = Sample(tasks={"a": "binary", "b": "binary"}, methods=("independent", "tied"), seeds=1)
    assert plates(with_orders(tmp_path, sample, {"tied": [[hard((0, 1)), hard((0, 1))]]})) == []
    assert "#order" not in page_of(Sample()).attributes("href")


def test_learned_orders_are_followed_over_training(tmp_path):
    sample = Sample(
        tasks=dict.fromkeys("abc", "binary"), methods=("independent", "tucker"), seeds=1
    )
    history = [soft(3, sharpness=0.1).tolist(), soft(3).tolist()]
    first, second = plates(with_orders(tmp_path, sample, {"tucker": history}))
    assert "Order" in first.title
    told = [
        float(word)
        for word in second.spoken.replace(",", " ").split()
        if word.replace(".", "").isdigit() and "." in word
    ]
    values = np.array(history[-1])
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = [
        np.mean(
            [0.5 * sum(abs(values[t, k, j] - values[u, k, j]) for j in range(3)) for t, u in pairs]
        )
        for k in range(3)
    ]
    assert told == pytest.approx(expected, abs=0.0051)


def test_distance_of_orders():
    history = np.array([[hard((0, 1)), hard((0, 1))], [hard((0, 1)), hard((1, 0))]])
    assert apart(history).tolist() == [[0, 0], [1, 1]]


def test_many_tasks_and_diverged_runs(tmp_path):
    names = {f"task {number}": "binary" for number in range(MOST_TASKS + 5)}
    sample = Sample(
        tasks=names, methods=("independent", "tucker"), seeds=2, diverged=[("tucker", 0)]
    )
    comparison = with_orders(tmp_path, sample, {"tucker": [soft(len(names)).tolist()]})
    for record in comparison.records:
        if record["error"]:
            record["sharing"].pop("ordering", None)
    (plate,) = plates(comparison)
    assert f"The first {MOST_TASKS} of {len(names)} tasks" in plate.caption
    assert "seed 1" in plate.caption
    assert f"task {MOST_TASKS}" not in plate.spoken
