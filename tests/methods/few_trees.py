"""Trees that grow fast, where it does not matter how well they predict."""

from __future__ import annotations

import pytest

from softshare.shallow import boosted, boosted_apart, boosted_trees, forest


def grow_few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimators choose among one setting alone, by few trees."""
    monkeypatch.setattr(boosted, "CANDIDATES", boosted.CANDIDATES[:1])
    monkeypatch.setattr(boosted_trees, "MOST_ROUNDS", 20)
    monkeypatch.setattr(boosted_apart, "FEWEST_ROWS", 5)
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (3,))
    monkeypatch.setattr(forest, "INPUTS_TRIED", (1.0,))
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 5)
