"""Every method's model predicts the same after it was saved and loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softshare.methods.named import METHODS, method_named
from softshare.methods.network_method import NetworkMethod
from softshare.models import learning
from softshare.models.learning import learn
from softshare.models.model import Model, load_model
from softshare.tasks.task_set import TaskSet
from tests.methods.few_trees import grow_few_trees
from tests.models.export.graphs import check_is_a_graph
from tests.models.made_tables import FEW, model_of, schools

NAMES = [method.name for method in METHODS if method.name != "auto"]


ALONE = {"base": "none"}
"""Networks that stand on nothing, where it is they that are looked at: the others take longer."""

OF_CLASSES = [
    "ridge",
    "pooled-ridge",
    "mixed-model",
    "boosted",
    "boosted-apart",
    "forest",
    "tucker",
]


@pytest.fixture(autouse=True)
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two networks are kept where four would be; no other number is special."""
    checked = learning.checked_settings
    monkeypatch.setattr(learning, "checked_settings", lambda of: checked({**of, "n_folds": 2}))


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    grow_few_trees(monkeypatch)


def check_is_kept(model: Model, folder: Path) -> None:
    model.save(folder)
    new = schools(seed=1).sample(frac=1, random_state=0)
    new.loc[3, "school"] = "school that is new"
    told = model.predict(new)
    check_is_a_graph(model, new.drop(index=3), told.drop(index=3))
    assert told.notna().all().all()
    pd.testing.assert_frame_equal(load_model(folder).predict(new), told, check_exact=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_a_table_is_kept(name: str, tmp_path: Path) -> None:
    check_is_kept(model_of(name, **ALONE), tmp_path / "model")


@pytest.mark.parametrize("target", ["passed", "grade"])
@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_model_of_classes_is_kept(name: str, target: str, tmp_path: Path) -> None:
    check_is_kept(model_of(name, target, **ALONE), tmp_path / "model")


def test_a_network_on_a_linear_model_is_kept(tmp_path: Path) -> None:
    check_is_kept(model_of("tensor-train", "passed"), tmp_path / "model")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_images_is_kept(name: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    method = method_named(name)
    side = 8 if isinstance(method, NetworkMethod) else 4
    inputs = random.normal(size=(40, 1, side, side)).astype(np.float32)
    data = {"a": (inputs[:20], np.arange(20) % 2), "b": (inputs[20:], np.arange(20) % 2)}
    tasks = TaskSet.from_arrays(data, kinds="binary")
    if method.unsuitable(tasks):
        pytest.skip("not for images")
    model = learn(tasks, method=name, **FEW)
    model.save(tmp_path / "model")
    names = ["a"] * 10 + ["b"] * 10
    told = model.predict(inputs[10:30], names)
    loaded = load_model(tmp_path / "model").predict(inputs[10:30], names)
    pd.testing.assert_frame_equal(loaded, told, check_exact=True)


@pytest.mark.parametrize("name", ["tucker", "tensor-train", "last-axis-flattening"])
def test_ranks_that_training_found_are_kept(name: str, tmp_path: Path) -> None:
    ranks_found = {"apart": 0.5, "epsilon": 0.5}
    check_is_kept(model_of(name, options=ranks_found, **ALONE), tmp_path / "model")
