"""Makes pytest run the Python examples of the README and the documentation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir

import numpy as np
import pandas as pd
import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser


@pytest.fixture(scope="module")
def folder_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs a document's examples in a folder that holds the tables they read."""
    folder = tmp_path_factory.mktemp("examples")
    random = np.random.default_rng(0)
    age, visits = random.normal(60, 15, 300), random.poisson(2, 300)
    readmitted = random.random(300) < 1 / (1 + np.exp(3 - age / 40 - visits / 2))
    hospital = random.choice(["st-mary", "north", "harbour"], 300)
    pd.DataFrame(
        {"hospital": hospital, "age": age, "visits": visits, "readmitted": readmitted.astype(int)}
    ).to_csv(folder / "visits.csv", index=False)
    with chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTSHARE_CACHE", str(folder / "cache"))
        yield


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    fixtures=["folder_with_tables"],
).pytest()
