"""Settings are converted, checked together, and the same after JSON."""

from __future__ import annotations

import json

import pytest

from softshare.methods.settings import (
    DROPOUT,
    LEARNING_RATE,
    WEIGHT_DECAY,
    RunSettings,
    checked_settings,
    given_settings,
)

VALID = {"source": "digits", "method": "tucker", "fraction": 0.1, "seed": 3}


def test_settings_survive_json():
    settings = checked_settings(
        {
            **VALID,
            "hidden": [64, 32],
            "steps": 10,
            "method_options": {"ranks": 0.5, "apart": 0, "form": "x"},
        }
    )
    assert checked_settings(json.loads(json.dumps(settings.as_json()))) == settings
    assert settings.hidden == (64, 32)
    assert settings.as_json()["hidden"] == [64, 32]


def test_the_key_names_the_run():
    assert RunSettings(**VALID).key == "tucker-f0.1-s3"
    assert RunSettings(**{**VALID, "fraction": 1.0}).key == "tucker-f1-s3"
    assert (
        RunSettings(**{**VALID, "fraction": 0.1234567}).key
        != RunSettings(**{**VALID, "fraction": 0.1234568}).key
    )


def test_all_wrong_settings_are_told_at_once():
    wrong = {
        "fraction": 0,
        "seed": -1,
        "steps": 0,
        "batch_size": "many",
        "hidden": [8, -2],
        "learning_rate": 0,
        "weight_decay": -1,
        "trials": -3,
    }
    with pytest.raises(ValueError, match="fraction: ") as caught:
        checked_settings({**VALID, **wrong})
    assert [phrase.split(":")[0] for phrase in str(caught.value).split("; ")] == list(wrong)
    assert (
        "batch_size: input should be a valid integer, unable to parse string as an "
        "integer, got 'many'" in str(caught.value)
    )


def test_what_is_in_force_is_what_was_given_or_the_default_of_the_inputs():
    for inputs in ("vector", "image"):
        default = RunSettings(**VALID, inputs=inputs)
        assert (default.rate, default.decay) == (LEARNING_RATE, WEIGHT_DECAY[inputs])
        assert default.dropped == DROPOUT[inputs]
    given = RunSettings(**VALID, learning_rate=0.5, weight_decay=0.0, dropout=0.0)
    assert (given.rate, given.decay, given.dropped) == (0.5, 0.0, 0.0)


def test_options_are_added_to_a_copy_and_changes_told_by_their_new_values():
    before = RunSettings(**VALID, method_options={"ranks": 0.5})
    after = before.with_options(apart=0.25)
    assert before.method_options == {"ranks": 0.5}
    assert after.method_options == {"ranks": 0.5, "apart": 0.25}
    assert before.changes_to(after) == {"method_options": {"ranks": 0.5, "apart": 0.25}}
    assert after.changes_to(after) == {}


def test_what_a_search_chose_was_not_given():
    chosen = {
        **VALID,
        "learning_rate": 0.1,
        "weight_decay": 0.2,
        "trials": 5,
        "method_options": {"ranks": 0.5, "apart": 0.25},
        "searched": ["learning_rate", "ranks"],
    }
    given = given_settings(chosen)
    assert given == {**VALID, "weight_decay": 0.2, "trials": 5, "tucker.apart": 0.25}
    # A record from before the names were kept: a search chose all that it could.
    of_old = {name: value for name, value in chosen.items() if name != "searched"}
    assert given_settings(of_old) == {**VALID, "trials": 5}
    untouched = {**of_old, "trials": 0}
    assert given_settings(untouched) == {
        **VALID,
        "learning_rate": 0.1,
        "weight_decay": 0.2,
        "trials": 0,
        "tucker.ranks": 0.5,
        "tucker.apart": 0.25,
    }
