"""Settings are converted, checked together, and the same after JSON."""

from __future__ import annotations

import json

import pytest

from softshare.methods.settings import RunSettings, checked_settings

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
