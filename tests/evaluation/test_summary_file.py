"""No name in the summary is a formula, and every name can be had back."""

from __future__ import annotations

import io
import re

import pandas as pd
import pytest

from softshare.evaluation.summary_file import csv_of

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\n=1",
    "\uff1d1",
    "'=1",
    "''-x",
]
NAMES = ["north", "a=b", "-3", "+2.5e3", "'quoted'", "=", "", "naïve"]


def cells(names):
    table = pd.DataFrame({"method": "tied", "task": names, "mean": -0.5})
    return pd.read_csv(io.StringIO(csv_of(table)), dtype=str, keep_default_na=False)


@pytest.mark.parametrize("name", FORMULAS + NAMES)
def test_no_cell_begins_as_a_formula_does_and_names_come_back(name):
    row = cells([name]).iloc[0]
    assert not re.match(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20](?!\d+(\.\d+)?(e\d+)?$)", row["task"])
    assert re.sub(r"^'(?='*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])", "", row["task"]) == name
    assert row["mean"] == "-0.5"


def test_what_steers_a_terminal_is_written_out():
    assert cells(["\x1b[2J"])["task"].item() == r"\x1b[2J"
