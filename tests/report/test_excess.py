"""What sharing adds to the tasks' likeness is told from what a common start gives."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from softshare.report.excess import excess_by_layer, excess_of_pairs
from softshare.report.findings import Findings
from softshare.report.plates import likeness, sharing_by_layer, shown_pairs
from tests.report.sample_records import Sample, write_sample


def findings(tmp_path, change, *, seeds=5, n_tasks=8) -> Findings:
    """Findings of two methods whose sharing ``change`` describes, given method, seed and random."""
    tasks = {f"t{number}": "binary" for number in range(n_tasks)}
    sample = Sample(methods=("independent", "tucker"), seeds=seeds, tasks=tasks, harmed={})
    records = write_sample(tmp_path, sample)
    for record in records:
        settings = record["settings"]
        random = np.random.default_rng([settings["seed"], len(settings["method"])])
        change(record["sharing"], settings["method"], settings["seed"], random)
    return Findings(records)


def similarity_of(random, *, base, lift=0.0):
    """Cosines of eight tasks near a common start; the first four lie closer by ``lift``."""
    group = np.arange(8) < 4
    matrix = base + lift * np.outer(group, group) + random.normal(0, 0.005, (8, 8))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix.tolist()


def test_a_common_start_alone_is_not_drawn(tmp_path):
    """All cosines lie near one, with a method as apart."""

    def change(sharing, method, seed, random):
        sharing["similarity"] = similarity_of(random, base=0.95)
        for layer in sharing["layers"].values():
            layer |= {"rho": 1.0, "cosine": 0.95 + random.normal(0, 0.005)}

    found = findings(tmp_path, change)
    assert not excess_of_pairs(found, "tucker").is_shown.any()
    assert likeness(found) is None
    assert "rho" not in set(excess_by_layer(found)["measure"])  # the same in every run


def test_what_a_method_adds_is_found_beside_what_the_start_gives(tmp_path):
    def change(sharing, method, seed, random):
        lift = 0.03 if method == "tucker" else 0.0
        start = 0.9 + 0.02 * seed  # another start for every seed, the same for both methods
        sharing["similarity"] = similarity_of(random, base=start, lift=lift)
        for layer in sharing["layers"].values():
            layer["cosine"] = start + lift + random.normal(0, 0.002)

    found = findings(tmp_path, change)
    excess = excess_of_pairs(found, "tucker")
    inside = np.zeros((8, 8), dtype=bool)
    inside[:4, :4] = True
    np.fill_diagonal(inside, False)
    assert excess.is_shown[inside].mean() > 0.9
    assert excess.values[inside].min() > 0
    words = shown_pairs(excess, [f"t{number}" for number in range(8)])
    assert words.startswith("Drawn together more than the mean pair: t")
    rows = excess_by_layer(found)
    cosine = rows[rows["measure"] == "cosine"]
    assert (cosine["ci_low"] > 0.02).all()
    assert (cosine["ci_high"] < 0.04).all()
    titles = [plate.title for plate in sharing_by_layer(found)]
    assert "Likeness of the tasks’ weights beyond learning apart" in titles
    assert likeness(found).title == "Which tasks tucker draws together"


def test_the_interval_of_a_layer_is_that_of_a_paired_t_test(tmp_path):
    values: dict[str, list[float]] = {"independent": [], "tucker": []}

    def change(sharing, method, seed, random):
        layer = sharing["layers"]["layers.0"]
        layer["rho"] = 0.6 + 0.05 * seed + random.normal(0, 0.02)
        values[method].append(layer["rho"])

    rows = excess_by_layer(findings(tmp_path, change))
    (own,) = [
        row for _, row in rows.iterrows() if (row["layer"], row["measure"]) == ("layers.0", "rho")
    ]
    low, high = stats.ttest_rel(values["tucker"], values["independent"]).confidence_interval(0.95)
    assert (own["ci_low"], own["ci_high"]) == pytest.approx((low, high))


def test_pairs_that_differ_by_chance_are_rarely_named(tmp_path):
    wrong = 0
    for repeat in range(15):

        def change(sharing, method, seed, random, repeat=repeat):
            random = np.random.default_rng([repeat, seed, len(method)])
            sharing["similarity"] = similarity_of(random, base=0.9)

        wrong += bool(excess_of_pairs(findings(tmp_path, change), "tucker").is_shown.any())
    assert wrong <= 3  # of 15, at 5 %


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_show_nothing(tmp_path, seeds):
    found = findings(tmp_path, lambda *_: None, seeds=seeds)
    assert excess_by_layer(found).empty
    assert likeness(found) is None
    assert list(sharing_by_layer(found)) == []


def test_a_pair_without_a_cosine_stays_without(tmp_path):
    def change(sharing, method, seed, random):
        matrix = similarity_of(random, base=0.9)
        matrix[0][1] = matrix[1][0] = None
        sharing["similarity"] = matrix

    excess = excess_of_pairs(findings(tmp_path, change), "tucker")
    assert np.isnan(excess.values[0, 1])
    assert not excess.is_shown[0, 1]
