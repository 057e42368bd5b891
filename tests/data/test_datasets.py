"""Data sets of other libraries as sources of tasks."""

from __future__ import annotations

import pickle
import random
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, TensorDataset

from softshare.data.datasets import from_datasets, from_hugging_face
from softshare.tasks.batches import Batches


class Squares(Dataset[Any]):
    """Items ``(input, target)`` made when they are asked for."""

    def __init__(self, length: int, offset: float) -> None:
        self.length, self.offset, self.read = length, offset, list[int]()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
        self.read.append(index)
        return torch.full((2, 3), index + self.offset), index + self.offset


def test_items_are_read_when_they_are_asked_for() -> None:
    data = {"a": Squares(5, 0.5), "b": Squares(8, 100.5)}
    targets = {
        name: [dataset[number][1] for number in range(len(dataset))]
        for name, dataset in data.items()
    }
    for dataset in data.values():
        dataset.read.clear()
    tasks = from_datasets(data, targets=targets, kinds="regression")
    assert {name: dataset.read for name, dataset in data.items()} == {
        "a": [0],
        "b": [0],
    }  # for the shape
    assert len(tasks.sources) == 1
    for (batch,), _ in zip(Batches(tasks, batch_size=3), range(6), strict=False):
        assert batch.inputs.shape == (2, 3, 2, 3)
        assert torch.equal(batch.inputs[..., 0, 0], batch.targets)
    assert from_datasets(data, kinds="regression").targets.tolist() == tasks.targets.tolist()


class Drawn(Squares):
    """Items that are changed at random, by all generators that there are."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
        return torch.tensor([torch.rand(1).item(), np.random.rand(), random.random(), index]), index  # noqa: NPY002


@pytest.mark.parametrize("n_tasks", [1, 2])
def test_what_transformations_draw_depends_on_the_seed_and_the_step(n_tasks: int) -> None:
    tasks = from_datasets(
        {name: Drawn(12, 0) for name in "ab"[:n_tasks]},
        targets=dict.fromkeys("ab"[:n_tasks], range(12)),
    )
    runs = []
    for noise in (
        0,
        3,
    ):  # what training draws between the steps, and has drawn before, is none of their business
        state, steps = torch.get_rng_state(), []
        for (batch,), _ in zip(Batches(tasks, batch_size=5, seed=7), range(4), strict=False):
            assert torch.equal(torch.get_rng_state(), state)
            steps.append(batch.inputs)
            torch.rand(noise), np.random.rand(noise), [random.random() for _ in range(noise)]  # noqa: NPY002
            state = torch.get_rng_state()
        runs.append(torch.stack(steps))
    assert torch.equal(*runs)
    assert len(runs[0][..., :3].unique()) == runs[0][..., :3].numel()


def test_targets_must_be_those_of_the_data_sets() -> None:
    data = {"a": Squares(4, 0), "b": Squares(4, 0)}
    with pytest.raises(
        ValueError,
        match=r"targets: give those of every data set .* 'b', 'c' is one of the two only",
    ):
        from_datasets(data, targets={"a": range(4), "c": range(4)})
    with pytest.raises(ValueError, match="targets: give those"):
        from_datasets(data, targets={})


class AtOnce(Squares):
    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [(np.full(4, index, dtype=np.float64), index % 2) for index in indices]


def test_several_items_at_once_and_inputs_of_several_shapes() -> None:
    tasks = from_datasets(
        {"a": AtOnce(6, 0), "b": TensorDataset(torch.arange(12.0).view(6, 2), torch.arange(6) % 3)},
        targets={"a": [0, 1] * 3, "b": [0, 1, 2] * 2},
    )
    assert [task.kind for task in tasks.tasks] == ["binary", "multiclass"]
    assert [source.shape for source in tasks.sources] == [(6, 4), (6, 2)]
    inputs, _ = pickle.loads(pickle.dumps(tasks.keep_tasks([1]))).examples(0)
    assert torch.equal(inputs, torch.arange(12.0).view(6, 2))


def test_what_is_no_data_set_of_pairs_is_refused() -> None:
    with pytest.raises(TypeError, match="task 'a': the data set must be map-style"):
        from_datasets({"a": iter([])})
    with pytest.raises(ValueError, match="task 'a': items must be pairs"):
        from_datasets({"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="6 inputs but 5 targets"):
        from_datasets({"a": Squares(6, 0)}, targets={"a": [0.0, 1, 2, 3, 4]})
    ragged = from_datasets({"a": [(np.zeros(2 + row % 2), row) for row in range(4)]})
    with pytest.raises(ValueError, match="one shape"):
        ragged.examples(0)


class Labels:
    names = ("cat", "dog")


class Columns:
    """The part of ``datasets.Dataset`` that is used: columns by name, rows by a list of numbers."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.features = {"label": Labels()}
        self._columns = columns
        self.column_names = list(columns)

    def __len__(self) -> int:
        return len(self._columns[self.column_names[0]])

    def __getitem__(self, key: str | list[int]) -> Any:
        if isinstance(key, str):
            return self._columns[key]
        return {name: [values[row] for row in key] for name, values in self._columns.items()}

    def select_columns(self, names: list[str]) -> Columns:
        return Columns({name: self._columns[name] for name in names})


def columns() -> dict[str, list[Any]]:
    random = np.random.default_rng(0)
    images = [
        Image.fromarray(random.integers(0, 256, (5, 4, 3), dtype=np.uint8)) for _ in range(24)
    ]
    return {
        "image": images,
        "where": ["north", "south"] * 12,
        "label": [0, 1, 1] * 8,
        "age": random.normal(size=24).tolist(),
        "kind": list("abc") * 8,
    }


def check_hugging_face(dataset: Any, made: dict[str, list[Any]]) -> None:
    tasks = from_hugging_face(dataset, inputs="image", target="label", task="where")
    assert tasks.names == ("north", "south")
    assert tasks.tasks[0].classes == ("cat", "dog")
    inputs, targets = tasks.examples(1)
    assert torch.equal(inputs[2], torch.from_numpy(np.array(made["image"][5]).transpose(2, 0, 1)))
    assert targets.tolist() == made["label"][1::2]
    table = from_hugging_face(dataset, inputs=["age", "kind"], target="label", task="where").split(
        seed=0
    )[0]
    assert table.preprocessing[0].feature_names == ("age", "kind = a", "kind = b", "kind = c")
    with pytest.raises(
        ValueError,
        match=r"target: no column 'lable', did you mean 'label'.*column 'age': has several uses "
        r"\(group, inputs\)",
    ):
        from_hugging_face(dataset, inputs=["age"], target="lable", group="age")
    with pytest.raises(ValueError, match="inputs must be numbers or images, got str"):
        from_hugging_face(dataset, inputs="kind", target="label")


def test_columns_name_inputs_tasks_and_targets() -> None:
    check_hugging_face(Columns(columns()), columns())


def test_the_real_library_works_alike() -> None:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed")
    made = columns()
    dataset = datasets.Dataset.from_dict(made).cast_column(
        "label", datasets.ClassLabel(names=["cat", "dog"])
    )
    check_hugging_face(dataset, made)
