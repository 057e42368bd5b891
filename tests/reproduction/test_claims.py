"""The file of claims, and what is wrong with one."""

from __future__ import annotations

import pytest

from softshare.reproduction.claims import read_claims
from softshare.reproduction.found import claims_of, experiment_names, read_experiment

GOOD = """
[[claim]]
id = "made/table-1/shared"
text = "Shared errs less."
case = "main"
contestant = "shared"
baseline = "apart"
measure = "error"
direction = "lower"
published = 2.0
smallest = 0.5
seeds = 5
"""


def read(folder, text):
    (folder / "claims.toml").write_text(text, encoding="utf-8")
    return read_claims(folder)


def test_a_claim_knows_its_experiment_and_which_runs_serve_it(tmp_path):
    (claim,) = read(tmp_path, GOOD + 'control = "unrelated"\n')
    assert claim.experiment == "made/table-1"
    assert claim.serves("main", "apart")
    assert claim.serves("unrelated", "shared")
    assert not claim.serves("main", "other")
    assert not claim.serves("other", "shared")


def test_a_change_of_any_number_makes_another_claim(tmp_path):
    (claim,) = read(tmp_path, GOOD)
    (same,) = read(tmp_path, "# a remark\n" + GOOD)
    (other,) = read(tmp_path, GOOD.replace("0.5", "0.4"))
    assert claim.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("baseline = ", "other = "), "no field 'other'"),
        (('baseline = "apart"\n', ""), "give a baseline or a bound, and not both"),
        (("0.5", "3.0"), "published 2 is below smallest 3"),
        (('"lower"', '"smaller"'), "direction"),
        (("seeds = 5", "seeds = 2"), "seeds"),
        (("made/table-1/shared", "made"), "id must be PAPER/PLACE/NAME"),
        (("[[claim]]", "[[claim"), "claims.toml: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, told):
    with pytest.raises(ValueError, match=told):
        read(tmp_path, GOOD.replace(*change))


def test_two_claims_of_one_id_are_refused(tmp_path):
    with pytest.raises(ValueError, match="claims of one id: made/table-1/shared"):
        read(tmp_path, GOOD + GOOD)


def test_every_committed_claim_is_of_what_its_experiment_has():
    for name in experiment_names():
        for claim in claims_of(read_experiment(name)):
            assert claim.experiment == name
