"""Cross-validation and the greedy search of patterns, on made tasks and on made losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from softshare.methods import select_pattern as module
from softshare.methods import training
from softshare.methods.cross_validation import Learn, by_loss, by_metric, cross_validate
from softshare.methods.named import method_named
from softshare.methods.select_pattern import select_pattern
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from tests.methods.made_tasks import FAST


def regressions(n_tasks: int, *, alike: bool, rows: int = 20, width: int = 8) -> TaskSet:
    """Linear tasks with one weight vector for all, or with opposite ones."""
    generator = np.random.default_rng(0)
    weights = generator.normal(size=width)
    data = {}
    for number in range(n_tasks):
        inputs = generator.normal(size=(rows, width)).astype(np.float32)
        sign = 1 if alike or number % 2 else -1
        data[f"task {number}"] = (inputs, (sign * inputs @ weights).astype(np.float32))
    return TaskSet.from_arrays(data, kinds="regression")


def zero_network(tasks: TaskSet) -> MultiTaskNetwork:
    network = MultiTaskNetwork(torch.nn.Linear(8, 1), tasks, sharing=Tied(), initial="independent")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    return network


def test_the_loss_is_the_mean_over_folds_and_tasks() -> None:
    tasks = regressions(2, alike=True)
    seen = []

    def learn(train: TaskSet, held_out: TaskSet) -> MultiTaskNetwork:
        seen.append(
            (
                set(zip(train.task_of, train.rows, strict=True)),
                set(zip(held_out.task_of, held_out.rows, strict=True)),
            )
        )
        return zero_network(train)

    losses = cross_validate({"zero": learn}, tasks, n_folds=4)
    halves = [np.mean(tasks.targets[tasks.entries(number)] ** 2) for number in range(2)]
    assert losses["zero"] == pytest.approx(np.mean(halves) * _half_squared_factor(), rel=1e-5)
    everything = set(zip(tasks.task_of, tasks.rows, strict=True))
    assert len(seen) == 4
    assert all(train | held_out == everything and not train & held_out for train, held_out in seen)
    assert sorted(entry for _, held_out in seen for entry in held_out) == sorted(everything)


def _half_squared_factor() -> float:
    """1 or ½: the squared loss of an error of 1."""
    from softshare.tasks.batches import Batch
    from softshare.tasks.losses import TaskLosses

    tasks = regressions(1, alike=True)
    batch = Batch(torch.tensor([0]), torch.zeros(1, 1, 8), torch.ones(1, 1))
    return float(TaskLosses(tasks.tasks)(torch.zeros(1, 1, 1), batch)[0])


def test_candidates_that_diverge_lose() -> None:
    def diverge(train: TaskSet, held_out: TaskSet) -> MultiTaskNetwork:
        raise FloatingPointError("the loss became nan")

    losses = cross_validate(
        {"good": lambda train, held_out: zero_network(train), "bad": diverge},
        regressions(2, alike=True),
    )
    assert losses["bad"] == np.inf
    assert losses["good"] < np.inf


@pytest.mark.parametrize("alike", [True, False])
def test_tied_layers_win_where_tasks_are_alike_and_lose_where_they_are_opposite(
    alike: bool,
) -> None:
    def learn(sharing: object) -> Learn:
        def run(train: TaskSet, held_out: TaskSet) -> MultiTaskNetwork:
            network = MultiTaskNetwork(
                torch.nn.Linear(8, 1), train, sharing={"weight": sharing}, initial="independent"
            )  # type: ignore[dict-item]
            fit(network, train, steps=100, learning_rate=0.05)
            return network

        return run

    losses = cross_validate(
        {"tied": learn(Tied()), "apart": learn(Independent())},
        regressions(4, alike=alike, rows=10),
        n_folds=3,
    )
    assert (losses["tied"] < losses["apart"]) == alike


def marks(n_rows: int = 40) -> TaskSet:
    """Two binary tasks of one input that tells the class, and of noise."""
    numbers = np.random.default_rng(0)
    inputs = numbers.normal(size=(n_rows, 8)).astype(np.float32)
    targets = {name: inputs[:, place] > 0 for place, name in enumerate("ab")}
    return TaskSet.from_shared_inputs(inputs, targets, kinds="binary")


def of_weights(scale: float, noise: float) -> Learn:
    """A network whose output is the telling input times a scale, and another one."""

    def learn(train: TaskSet, held_out: TaskSet) -> MultiTaskNetwork:
        network = zero_network(train)
        network = network.with_sharing(Independent())
        with torch.no_grad():
            for parameter in network.layers["weight"].parameters():
                for task in range(2):
                    parameter[task, task] = scale
                    parameter[task, 7] = noise
        return network

    return learn


CANDIDATES = {
    "sure": of_weights(40.0, 30.0),  # errs seldom, and is then sure of it
    "humble": of_weights(0.1, 0.11),
}


def test_candidates_are_judged_by_what_is_asked_for() -> None:
    tasks = marks()
    by_logistic = cross_validate(CANDIDATES, tasks)
    by_accuracy = cross_validate(CANDIDATES, tasks, judge=by_metric("accuracy"))
    by_auc = cross_validate(CANDIDATES, tasks, judge=by_metric("roc_auc"))
    assert min(by_logistic, key=by_logistic.__getitem__) == "humble"
    assert min(by_accuracy, key=by_accuracy.__getitem__) == "sure"
    assert min(by_auc, key=by_auc.__getitem__) == "sure"
    assert -1 <= by_accuracy["sure"] < by_accuracy["humble"] < 0
    assert cross_validate(CANDIDATES, tasks, judge=by_metric(None)) == by_logistic
    assert cross_validate(CANDIDATES, tasks, judge=by_metric("loss")) == by_logistic


def test_hinge_networks_are_judged_by_the_hinge_loss() -> None:
    tasks = marks()
    found = cross_validate({"humble": CANDIDATES["humble"]}, tasks, judge=by_loss("hinge"))
    expected = []
    for task in range(2):
        inputs, targets = tasks.examples(task)
        outputs = 0.1 * inputs[:, task] + 0.11 * inputs[:, 7]
        losses = (1 - (2 * targets - 1) * outputs).clamp(min=0)
        expected.append(losses.mean().item())
    assert found["humble"] == pytest.approx(np.mean(expected), rel=0.02)  # folds differ in size


def test_a_search_within_a_run_goes_by_the_metric_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[object] = []

    def cross_validate(candidates: Mapping[str, object], *_: object, **told: object) -> object:
        judged.append(told["judge"])
        return dict.fromkeys(candidates, 0.0)

    monkeypatch.setattr(training, "cross_validate", cross_validate)
    monkeypatch.setattr(training, "by_metric", lambda name: f"by {name}")
    trainer = training.Trainer(method_named("tied"))
    settings = replace(FAST, metric="accuracy")
    trainer.cross_validate({"one": settings}, marks(), seed=0)
    assert judged == ["by accuracy"]


def test_folds_that_do_not_tell_are_left_out() -> None:
    """One row of the rare class: only the fold that holds it out tells its area under the curve."""
    inputs = np.zeros((20, 8), dtype=np.float32)
    inputs[:, 0] = np.arange(20) - 5.0
    targets = {name: np.arange(20) == 19 for name in "ab"}
    tasks = TaskSet.from_shared_inputs(inputs, targets, kinds="binary")
    learn = of_weights(1.0, 0.0)
    found = cross_validate({"sure": learn}, tasks, judge=by_metric("roc_auc"))
    assert np.isfinite(found["sure"])


def made_losses(monkeypatch: pytest.MonkeyPatch, loss: Mapping[str, float]) -> list[str]:
    """Give every pattern a loss, in place of training; returns the patterns that were tried."""
    tried: list[str] = []

    def cross_validate(
        candidates: Mapping[str, object], train: object, **_: object
    ) -> dict[str, float]:
        tried.extend(candidates)
        return {pattern: loss[pattern] for pattern in candidates}

    monkeypatch.setattr(module, "cross_validate", cross_validate)
    return tried


def distance(best: str, n_cores: tuple[int, ...]) -> dict[str, float]:
    """For every pattern how far it is from the best one."""
    patterns = product(*(range(n + 1) for n in n_cores))
    return {
        "".join(map(str, p)): sum(abs(c - int(b)) for c, b in zip(p, best, strict=True))
        for p in patterns
    }


@pytest.mark.parametrize("best", ["000", "420", "443", "110", "332"])
def test_the_greedy_search_finds_the_best_pattern_that_does_not_increase(
    monkeypatch: pytest.MonkeyPatch, best: str
) -> None:
    tried = made_losses(monkeypatch, distance(best, (4, 4, 3)))
    choice = select_pattern(lambda pattern: None, (4, 4, 3), None)  # type: ignore[arg-type,return-value]
    assert choice.pattern == best
    assert len(tried) == len(set(tried)) <= 4 + 4 + 3 + 1
    assert all(pattern == "".join(sorted(pattern, reverse=True)) for pattern in tried)
    assert choice.losses[best] == 0


def test_increasing_patterns_are_found_when_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    made_losses(monkeypatch, distance("014", (4, 4, 4)))
    free = select_pattern(lambda pattern: None, (4, 4, 4), None, non_increasing=False)  # type: ignore[arg-type,return-value]
    bound = select_pattern(lambda pattern: None, (4, 4, 4), None)  # type: ignore[arg-type,return-value]
    assert free.pattern == "014"
    assert bound.pattern == "000"


@pytest.mark.parametrize("alike", [True, False])
def test_the_search_shares_all_cores_of_equal_tasks_and_none_of_opposite_ones(alike: bool) -> None:
    def learn(pattern: str) -> Learn:
        def run(train: TaskSet, held_out: TaskSet) -> MultiTaskNetwork:
            sharing = {"layers.0": TensorRing(4, shared=pattern, cores=2), "output": Tied()}
            network = MultiTaskNetwork(
                lambda *form: mlp(*form, hidden=(8,)), train, sharing=sharing
            )
            fit(network, train, validation=held_out, steps=150, learning_rate=0.02, keep_best=True)
            return network

        return run

    choice = select_pattern(learn, (2,), regressions(4, alike=alike, rows=12), n_folds=2)
    assert choice.pattern == ("2" if alike else "0")
    assert set(choice.losses) == {"0", "1", "2"}


@pytest.mark.parametrize("metric", [None, "rmse"])
def test_a_diverged_task_is_infinitely_bad_and_one_without_rows_tells_nothing(
    metric: str | None,
) -> None:
    tasks = regressions(3, alike=True)
    network = MultiTaskNetwork(torch.nn.Linear(8, 1), tasks, sharing=Independent())
    with torch.no_grad():
        for place, value in ((1, np.nan), (2, np.nan)):
            for parameter in network.own_values(place):
                parameter.fill_(value)
    of_two = tasks.select(np.flatnonzero(tasks.task_of < 2))
    assert of_two.n_examples[2] == 0
    values = by_metric(metric)(network, of_two)
    assert np.isfinite(values[0])
    assert values[1] == np.inf
    assert metric is not None or np.isnan(values[2])
    assert cross_validate({"one": lambda train, held_out: network}, of_two) == {"one": np.inf}
