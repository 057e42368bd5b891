"""Made run records of realistic size and scatter, in the form that ``softshare compare`` writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from softshare.evaluation.records.records import write_record
from softshare.evaluation.records.schema import FORMAT

METHODS = ("independent", "tied", "last-axis-flattening", "tucker", "tensor-train")
LAYERS = ("layers.0", "layers.1", "layers.2", "output")
LIFT = {
    "independent": 0.0,
    "pooled": 0.010,
    "tied": 0.011,
    "last-axis-flattening": 0.016,
    "tucker": 0.019,
    "tensor-train": 0.006,
}
SIZE = {
    "independent": 1.0,
    "pooled": 0.1,
    "tied": 0.11,
    "last-axis-flattening": 0.38,
    "tucker": 0.24,
    "tensor-train": 0.19,
}
HIGHER = {"roc_auc", "accuracy", "f1", "r2"}
PRIMARY = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "rmse"}
OTHERS = {"binary": ("accuracy", "f1"), "multiclass": ("balanced_error",), "regression": ("r2",)}


@dataclass(frozen=True)
class Sample:
    """What the made comparison looks like: ten digits, five seeds, unless said otherwise."""

    methods: Sequence[str] = METHODS
    fractions: Sequence[float] = (0.1,)
    seeds: int = 5
    tasks: Mapping[str, str] = field(
        default_factory=lambda: {f"digit {digit}": "binary" for digit in range(10)}
    )
    layers: Sequence[str] = LAYERS
    harmed: Mapping[tuple[str, str], float] = field(
        default_factory=lambda: {("tied", "digit 8"): 0.03}
    )
    scatter: float = 0.003
    notes: Sequence[str] = ("pixels were divided by 16",)
    missing: Sequence[str] = ()
    diverged: Sequence[tuple[str, int]] = ()
    relatedness: bool = True

    def with_(self, **changes: Any) -> Sample:
        """The same sample with some fields changed."""
        return replace(self, **changes)


def write_sample(out: Path, sample: Sample) -> list[dict[str, Any]]:
    """Write ``out/records/*.json`` and return the records."""
    folder = out / "records"
    folder.mkdir(parents=True, exist_ok=True)
    records = [
        _record(sample, method, fraction, seed)
        for method in sample.methods
        for fraction in sample.fractions
        for seed in range(sample.seeds)
    ]
    for record in records:
        write_record(folder, record)
    return records


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record that was written."""
    record = written(path)
    change(record)
    write_record(path.parent, record)


def written(path: Path) -> dict[str, Any]:
    """A record that was written, without its digest."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del record["digest"]
    return record


def _record(sample: Sample, method: str, fraction: float, seed: int) -> dict[str, Any]:
    random = np.random.default_rng([seed, int(1000 * fraction), sum(map(ord, method))])
    diverged = (method, seed) in sample.diverged
    metrics = {}
    if not diverged:
        for part in ("validation", "test"):
            metrics[part] = _metrics(sample, method, fraction, seed, random)
    error = round(0.09 - 2 * LIFT.get(method, 0.01), 5)
    nothing = {"layers": {}, "similarity": None, "warnings": []}
    diverged_at = f"the loss of task {next(iter(sample.tasks))!r} became nan at step 120"
    return {
        "format": FORMAT,
        "key": f"{method}-f{fraction:g}-s{seed}",
        "settings": {
            "source": "digits",
            "method": method,
            "fraction": fraction,
            "seed": seed,
            "steps": 1000,
            "batch_size": 64,
            "hidden": [64, 64],
            "learning_rate": 0.001,
            "metric": None,
        },
        "data": {
            "fingerprint": "5d41402abc4b2a76",
            "division": "9b74c9897bac770f",
            "tasks": _tasks(sample, fraction),
            "notes": list(sample.notes),
        },
        "split": f"{seed:032x}",
        "versions": {"softshare": "0.1.0", "torch": "2.13.0", "numpy": "2.4.0", "python": "3.11.7"},
        "parameters": None if diverged else int(86_500 * SIZE.get(method, 0.5)),
        "metrics": metrics,
        "set_metrics": {} if diverged else {"test": {"multiclass_error": error}},
        "curve": [] if diverged else _curve(method, random),
        "seconds": round(float(2.5 + random.uniform(0, 1.5)), 2),
        "sharing": nothing if diverged else _sharing(sample, method, random),
        "error": diverged_at if diverged else None,
    }


def _tasks(sample: Sample, fraction: float) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "kind": kind,
            "n_outputs": 3 if kind == "multiclass" else 1,
            "metric": PRIMARY[kind],
            "n_train": int(1078 * fraction),
            "n_validation": 359,
            "n_test": 360,
        }
        for name, kind in sample.tasks.items()
    ]


def _metrics(
    sample: Sample, method: str, fraction: float, seed: int, random: np.random.Generator
) -> dict[str, dict[str, float | None]]:
    shared = np.random.default_rng([seed, int(1000 * fraction)])
    values: dict[str, dict[str, float | None]] = {}
    for number, (name, kind) in enumerate(sample.tasks.items()):
        hardness = (
            0.01
            + 0.02 * ((number * 7) % 10) / 10
            + 0.03 * (1 - fraction)
            + shared.normal(0, sample.scatter)
        )
        lift = LIFT.get(method, 0.01) * (1 - fraction) * (
            0.6 + 0.08 * ((number * 3) % 10)
        ) - sample.harmed.get((method, name), 0.0)
        loss = hardness - lift + random.normal(0, sample.scatter)
        values[name] = {
            metric: _value(metric, loss) for metric in (PRIMARY[kind], *OTHERS[kind])
        } | {"loss": round(3 * abs(loss), 6)}
        if name in sample.missing:
            values[name][PRIMARY[kind]] = None
    return values


def _value(metric: str, loss: float) -> float:
    if metric == "rmse":
        return round(0.5 + loss, 6)
    return round(1 - loss if metric in HIGHER else loss, 6)


def _curve(method: str, random: np.random.Generator) -> list[dict[str, float | int | None]]:
    steps = np.linspace(0, 1000, 50).astype(int)
    train = 0.68 * np.exp(-steps / 90) + 0.01
    validation = (
        0.62 * np.exp(-steps / 110)
        + 0.11
        - 2 * LIFT.get(method, 0.01)
        + 6e-5 * steps * (method == "independent")
    )
    noise = random.normal(0, 0.004, len(steps))
    return [
        {"step": int(step), "train_loss": round(float(a), 5), "validation_loss": round(float(b), 5)}
        for step, a, b in zip(steps, train, validation + noise, strict=True)
    ]


def _sharing(sample: Sample, method: str, random: np.random.Generator) -> dict[str, Any]:
    n_tasks = len(sample.tasks)
    layers = {
        name: _layer(method, name, depth / max(1, len(sample.layers) - 1), n_tasks, random)
        for depth, name in enumerate(sample.layers)
    }
    warnings = (
        ["layer output: parameters exceed those of independent learning (K = T)"]
        if method == "tucker"
        else []
    )
    known = sample.relatedness and 1 < n_tasks <= 200
    correlation = (
        _similarity(method, n_tasks, random)
        if known and method.startswith("tensor-normal")
        else None
    )
    similarity = _similarity(method, n_tasks, random) if known else None
    return {
        "layers": layers,
        "similarity": similarity,
        "task_correlation": correlation,
        "warnings": warnings,
    }


def _layer(
    method: str, name: str, depth: float, n_tasks: int, random: np.random.Generator
) -> dict[str, Any]:
    own = method == "independent" or name == "output"
    floor = 1 - 0.9 / np.sqrt(max(n_tasks, 2)) * 0.6
    rho = (
        1.0
        if method in ("tied", "pooled") and not own
        else float(floor + (1 - floor) * (0.05 if own else 0.85 - 0.4 * depth))
    )
    return {
        "sharing": "Independent"
        if own
        else {"tied": "Tied", "pooled": "Tied"}.get(
            method, "".join(map(str.capitalize, method.split("-")))
        ),
        "ranks": []
        if own or method in ("tied", "pooled")
        else [20, 30, 5][: 1 if method == "last-axis-flattening" else 3],
        "parameters": int(40_960 * (1 if own else SIZE.get(method, 0.5))),
        "independent_parameters": 40_960,
        "rho": None if n_tasks < 2 else round(rho + float(random.normal(0, 0.004)) * (rho < 1), 5),
        "rho_floor": None if n_tasks < 2 else round(float(floor), 5),
        "cosine": None if n_tasks < 2 else round(0.02 if own else 0.8 - 0.5 * depth, 4),
        "effective_rank": round(float(n_tasks) if own else 1 + 2.4 * depth, 3),
    }


def _similarity(method: str, n_tasks: int, random: np.random.Generator) -> list[list[float]]:
    if method in ("tied", "pooled"):
        return [[1.0] * n_tasks for _ in range(n_tasks)]
    common = 0.0 if method == "independent" else 1.2
    places = np.random.default_rng(7).normal(size=(n_tasks, 3))
    vectors = np.hstack(
        [places, np.full((n_tasks, 1), common), random.normal(0, 0.2, (n_tasks, 3))]
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.clip(vectors @ vectors.T, -1, 1)
    return [[round(float(value), 4) for value in row] for row in cosines]
