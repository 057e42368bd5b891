"""What is learned together is compared with the best way to learn apart."""

from __future__ import annotations

import pytest

from softshare.evaluation.answer import answer
from softshare.evaluation.apart import WAYS, chosen_ways, reference, told
from softshare.evaluation.statistics import estimates, standings, summarise, values_apart
from softshare.methods.named import APART
from tests.evaluation.made_records import record


def made(method: str, test: float, held_out: float | None, seed: int = 0) -> dict:
    """A run with these values on the test part and on rows held out of the training part."""
    validation = {} if held_out is None else {"a": {"roc_auc": held_out}}
    return record(method, seed, {"a": test}, validation=validation)


def test_the_ways_are_those_of_the_named_methods():
    assert tuple(method.name for method in APART) == WAYS


def test_rows_held_out_choose_and_never_the_test_part():
    records = [made("independent", 0.9, 0.6), made("ridge", 0.7, 0.8), made("tied", 0.8, 0.9)]
    assert chosen_ways(records) == {(1.0, 0): "ridge"}
    summary = summarise(records).set_index(["method", "task"])["gain"]
    assert summary["tied", "a"] == pytest.approx(0.1)
    assert summary["independent", "a"] == pytest.approx(0.2)
    assert summary.isna()["ridge", "a"]
    assert values_apart(records)["mean"].tolist() == [0.7]


def test_independent_networks_are_apart_where_nothing_was_held_out():
    records = [made("ridge", 0.9, None), made("independent", 0.6, None), made("tied", 0.8, None)]
    assert chosen_ways(records) == {(1.0, 0): "independent"}


def test_each_seed_has_its_own_way_and_ways_apart_do_not_stand_among_the_others():
    records = []
    for seed, of_ridge in enumerate((0.8, 0.8, 0.5)):
        records.append(made("independent", 0.6, 0.6, seed))
        records.append(made("ridge", 0.7, of_ridge, seed))
        records.append(made("tied", 0.8, 0.9, seed))
    chosen = chosen_ways(records)
    assert reference(chosen, 1.0) is None
    assert told(chosen, 1.0) == "ridge (2 seeds) and independent (1)"
    stands = standings(estimates(records))
    assert stands["method"].tolist() == ["tied"]
    assert stands["gain"].tolist() == pytest.approx([(0.1 + 0.1 + 0.2) / 3])


def test_the_answer_names_the_way_apart_and_the_gain_over_a_pooled_model():
    records = []
    for seed in range(4):
        scatter = 0.001 * seed
        records.append(made("independent", 0.6, 0.6, seed))
        records.append(made("ridge", 0.7 + scatter, 0.65, seed))
        records.append(made("pooled-ridge", 0.74, 0.7, seed))
        records.append(made("tied", 0.8 + 2 * scatter, 0.75, seed))
    told_all = answer(records)
    assert told_all.startswith("Learning together beats learning apart by 10.2 points of ROC-AUC")
    assert "Apart is ridge, the best of 2 ways on rows held out." in told_all
    assert "tied gains 6.3 points of ROC-AUC [" in told_all
    assert told_all.endswith("over one pooled model with offsets (pooled-ridge).")
