"""A task column and several targets against the same tasks made one by one."""

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tucker import Tucker
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit


@pytest.fixture
def visits() -> pd.DataFrame:
    random = np.random.default_rng(0)
    n_rows = 120
    frame = pd.DataFrame({"age": random.normal(50, 9, n_rows), "bmi": random.normal(size=n_rows)})
    frame["ward"] = np.resize(["north", "south", "west"], n_rows)
    frame["ill"] = np.where(random.random(n_rows) < 0.2, np.nan, random.integers(0, 2, n_rows))
    frame["days"] = random.normal(9, 2, n_rows)
    frame["cost"] = random.normal(9000, 2000, n_rows)
    frame.loc[frame.ward == "west", "cost"] = np.nan
    return frame


def test_each_pair_is_the_task_that_its_own_table_poses(visits: pd.DataFrame) -> None:
    tasks = read_table(visits, task="ward", target=["ill", "days", "cost"])
    wards, targets = ("north", "south", "west"), ("ill", "days", "cost")
    pairs = [(ward, target) for ward in wards for target in targets]
    assert tasks.names == tuple(pair for pair in pairs if pair != ("west", "cost"))
    assert tasks.notes == (
        "1 pair(s) of a task and a target have no label, and are no tasks: 'west / cost'",
    )
    for number, (ward, target) in enumerate(tasks.names):
        here = (visits.ward == ward) & visits[target].notna()
        entries = tasks.entries(number)
        assert tasks.rows[entries].tolist() == np.flatnonzero(here).tolist()
        assert tasks.targets[entries].tolist() == visits[target][here].tolist()
        assert tasks.tasks[number].kind == ("binary" if target == "ill" else "regression")


def test_a_row_is_in_one_part_for_all_its_targets(visits: pd.DataFrame) -> None:
    tasks = read_table(visits, task="ward", target=["ill", "days"])
    rows = [set(part.rows.tolist()) for part in tasks.split(seed=0)]
    assert sum(map(len, rows)) == len(set.union(*rows))


def test_a_quantity_has_one_scale_in_all_wards(visits: pd.DataFrame) -> None:
    tasks = read_table(visits, task="ward", target=["ill", "days", "cost"])
    train, *_ = tasks.split(seed=0)
    of_days = [number for number, name in enumerate(tasks.names) if name[1] == "days"]
    rows = np.concatenate([train.source_rows()[train.entries(number)] for number in of_days])
    expected = visits["days"][rows].mean(), visits["days"][rows].std(ddof=0)
    assert train.target_scaling is not None
    np.testing.assert_allclose(train.target_scaling[of_days], [expected] * 3)
    classes = [number for number, name in enumerate(tasks.names) if name[1] == "ill"]
    assert train.target_scaling[classes].tolist() == [[0, 1]] * 3
    kept = train.keep_tasks(of_days)
    assert kept.units is not None
    assert len(set(kept.units.tolist())) == 1


def test_the_tasks_are_a_grid(visits: pd.DataFrame) -> None:
    tasks = read_table(visits, task="ward", target=["days", "ill"])
    train, *_ = tasks.split(seed=0)
    network = MultiTaskNetwork(mlp, train, sharing=Tucker(1.0, task_rank=0.5))
    factors = dict(network.layers["layers.0"].named_parameters())
    sizes = {name: tuple(factor.shape) for name, factor in factors.items()}
    assert {3, 2} <= {size[0] for name, size in sizes.items() if "task" in name}
    fit(network, train, steps=2)
    partly = read_table(visits, task="ward", target=["days", "cost"]).split(seed=0)[0]
    fit(MultiTaskNetwork(mlp, partly, sharing=Tucker(1.0, task_rank=0.5)), partly, steps=2)


def test_several_task_columns_are_factors_too(visits: pd.DataFrame) -> None:
    visits["sex"] = np.resize(["f", "m"], len(visits))
    tasks = read_table(visits, task=["ward", "sex"], target=["ill", "days"])
    assert tasks.names[:3] == (
        ("north", "f", "ill"),
        ("north", "f", "days"),
        ("north", "m", "ill"),
    )
    assert tasks.tasks[0].label == "north / f / ill"


def test_targets_by_a_pattern(visits: pd.DataFrame) -> None:
    visits = visits.rename(columns={"ill": "y_ill", "days": "y_days"}).drop(columns="cost")
    tasks = read_table(visits, target="y_*", drop=["w*"], kinds={"y_i*": "multiclass"})
    assert tasks.names == ("y_ill", "y_days")
    assert tasks.tasks[0].kind == "multiclass"
    assert list(tasks.sources[0].names) == ["age", "bmi"]
    starred = visits.rename(columns={"y_ill": "y_*"})
    assert read_table(starred, target="y_*", drop=["ward"]).names == ("y_*",)
    with pytest.raises(ValueError, match=r"target: no column 'z_\*'"):
        read_table(visits, target="z_*")


def test_a_panel_names_all_targets_with_nothing_to_learn_at_once(visits: pd.DataFrame) -> None:
    panel = {f"t{number}": visits["days"].where(visits.days > 8 + number) for number in range(3)}
    panel["empty"] = np.full(len(visits), np.nan)
    panel["same"] = visits["ill"].where(visits.ill == 1)
    panel["rare"] = visits["ill"].where(visits.index < 3)
    tasks = TaskSet.from_shared_inputs(visits[["age"]], panel)
    told = r"3 task\(s\) .*'empty' \(0 rows\), 'same' \(\d+ rows, one class\), 'rare' \(. rows"
    with pytest.raises(ValueError, match=told):
        tasks.split(seed=0)
    left = tasks.drop_small_tasks()
    assert left.names == ("t0", "t1", "t2")
    assert "'empty' (0 rows)" in left.notes[0]
    with pytest.raises(ValueError, match=r"1 of 1 task\(s\) have one class only, or no labels"):
        TaskSet.from_shared_inputs(visits[["age"]], {"empty": panel["empty"]})


def test_lengths_and_kinds_that_do_not_fit_are_refused(visits: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"inputs, target 'days' and task must have one length"):
        TaskSet.from_task_column(visits[["age"]], {"days": [1.0, 2.0]}, visits["ward"])
    with pytest.raises(ValueError, match=r"kind: one target has one kind"):
        TaskSet.from_task_column(
            visits[["age"]], visits["days"], visits["ward"], kind={"days": "regression"}
        )


def test_how_names_are_written_is_told_of_several_targets_too(visits: pd.DataFrame) -> None:
    first = visits["ward"].iloc[0]
    blanked = visits.assign(ward=visits["ward"].where(visits.index % 2 == 0, visits["ward"] + " "))
    assert first in set(blanked["ward"])
    for target in (["ill"], ["ill", "cost"]):
        tasks = read_table(blanked, task="ward", target=target)
        assert any("written with blanks" in note for note in tasks.notes)
