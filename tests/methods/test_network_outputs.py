"""What networks say of rows, and their numbers by names."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.methods import network_outputs
from softshare.methods.network_outputs import (
    joint_outputs,
    load_network,
    network_state,
    outputs_of_others,
)
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet

RANDOM = np.random.default_rng(0)


def rows_of(names: str, *, classes: dict[str, int] | None = None) -> TaskSet:
    data = {}
    kinds = {}
    for place, name in enumerate(names):
        n_rows = 7 + place
        n_classes = (classes or {}).get(name)
        targets = RANDOM.normal(size=n_rows) if n_classes is None else np.arange(n_rows) % n_classes
        data[name] = (RANDOM.normal(size=(n_rows, 3)).astype(np.float32), targets)
        kinds[name] = "regression" if n_classes is None else "multiclass"
    return TaskSet.from_arrays(data, kinds=kinds)


def network_of(
    tasks: TaskSet, sharing: Sharing | dict[str, Sharing], seed: int = 0
) -> MultiTaskNetwork:
    return MultiTaskNetwork(mlp, tasks, sharing=sharing, seed=seed, initial="independent")


def said(network: MultiTaskNetwork, task: str, inputs: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network.task(task).eval()(torch.from_numpy(inputs)).numpy()


def test_outputs_of_all_entries_are_each_networks_own_filled_up_with_zeros() -> None:
    tasks = rows_of("abc", classes={"a": 3, "b": 4, "c": 3})
    network = network_of(tasks, Independent())
    outputs = joint_outputs(network, tasks)
    assert outputs.shape == (7 + 8 + 9, 4)
    for number, task in enumerate(tasks.tasks):
        inputs, _ = tasks.examples(number)
        own = outputs[tasks.entries(number)]
        alone = said(network, str(task.name), inputs.numpy())
        np.testing.assert_allclose(own[:, : task.n_outputs], alone, rtol=1e-5, atol=1e-6)
        assert (own[:, task.n_outputs :] == 0).all()


@pytest.mark.parametrize(("most", "asked"), [(100, "abcde"), (3, "ace"), (2, "ae"), (1, "a")])
def test_of_other_tasks_it_is_the_mean_over_learned_ones_at_even_distances(
    most: int, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_outputs, "MOST_OTHERS", most)
    learned = rows_of("abcde")
    network = network_of(learned, Independent())
    new = rows_of("xyz")
    expected = []
    for number in range(len(new)):
        inputs = new.examples(number)[0].numpy()
        of_each = [said(network, name, inputs) for name in asked]
        expected.append(np.mean(of_each, axis=0))
    found = outputs_of_others(network, new)
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-5, atol=1e-6)


def test_of_one_network_for_all_one_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def counted(network: MultiTaskNetwork, tasks: TaskSet) -> np.ndarray:
        asked.append(tasks.tasks[0].name)
        return joint_outputs(network, tasks)

    monkeypatch.setattr(network_outputs, "joint_outputs", counted)
    network = network_of(rows_of("abc"), {"*": Tied(), "output": Tied()})
    new = rows_of("x")
    inputs = new.examples(0)[0].numpy()
    found = outputs_of_others(network, new)
    np.testing.assert_allclose(found, said(network, "b", inputs), rtol=1e-5, atol=1e-6)
    assert asked == ["a"]


def test_learned_tasks_of_several_forms_have_no_answer_in_common() -> None:
    network = network_of(rows_of("ab", classes={"a": 3, "b": 4}), Independent())
    with pytest.raises(ValueError, match="differ in form, and have no answer in common"):
        outputs_of_others(network, rows_of("x", classes={"x": 3}))


def test_a_network_takes_its_numbers_again_also_at_other_ranks() -> None:
    tasks = rows_of("abc")
    first = network_of(tasks, TensorTrain((3, 2)))
    later = network_of(tasks, TensorTrain((2, 1)), seed=1)
    load_network(later, network_state(first))
    inputs = RANDOM.normal(size=(4, 3)).astype(np.float32)
    for name in "abc":
        np.testing.assert_array_equal(said(later, name, inputs), said(first, name, inputs))


def test_numbers_of_a_network_of_another_form_are_refused() -> None:
    tasks = rows_of("abc")
    network = network_of(tasks, TensorTrain((3, 2)))
    state = dict(network_state(network))
    before = {name: values.copy() for name, values in state.items()}
    with pytest.raises(ValueError, match="of a network of another form"):
        load_network(network, network_state(network_of(tasks, Tied())))
    name = next(iter(state))
    with pytest.raises(ValueError, match=r"of a network of another form \(" + name):
        load_network(network, {**state, name: state[name][None]})
    missing = {each: values for each, values in state.items() if each != name}
    with pytest.raises(ValueError, match=r"of a network of another form \(" + name):
        load_network(network, missing)
    for each, values in network_state(network).items():
        np.testing.assert_array_equal(values, before[each])
