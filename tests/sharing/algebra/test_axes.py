"""The names of a stack's axes."""

from __future__ import annotations

from softshare.sharing.algebra.axes import MODES, RANKS, axis_names, task_names


def test_axes_are_those_of_linear_layers_and_convolutions() -> None:
    assert axis_names(3) == ("in", "out", "task")
    assert axis_names(4) == ("width", "in", "out", "task")
    assert axis_names(6) == ("depth", "height", "width", "in", "out", "task")
    assert axis_names(7)[:2] == ("mode 1", "mode 2")


def test_a_grid_has_an_axis_for_each_factor() -> None:
    assert task_names(2) == ["task_1", "task_2"]
    assert axis_names(4, 2) == ("in", "out", "task_1", "task_2")


def test_no_letter_means_two_things() -> None:
    assert not set(MODES) & set(RANKS)
    assert "t" not in MODES
