"""What a history says of a training: its best step, and whether it might have gone on."""

from __future__ import annotations

import pytest

from softshare.training.history import History


def history_of(*losses: float | None) -> History:
    rows = enumerate(losses, start=1)
    return History(
        {"step": 10 * n, "train_loss": 0.5, "validation_loss": loss, "penalty": 0.0, "seconds": 1.0}
        for n, loss in rows
    )


@pytest.mark.parametrize(
    ("losses", "best", "improving"),
    [
        ((3.0, 1.0, 2.0), 20, False),
        ((3.0, 2.0, 1.0), 30, True),
        ((2.0, 1.0, 1.0), 20, False),
        ((None, None), None, False),
        ((), None, False),
    ],
)
def test_the_best_step_and_whether_it_is_the_last(
    losses: tuple[float | None, ...], best: int | None, improving: bool
) -> None:
    history = history_of(*losses)
    assert history.best_step == best
    assert history.still_improving is improving


def test_a_history_is_shown_in_one_line_and_in_notebooks_as_a_table() -> None:
    text = repr(history_of(3.0, 1.0, 2.0))
    assert text == (
        "History(3 evaluations, steps 10 to 30, train loss 0.5, best validation loss 1 at step 20)"
    )
    assert "validation loss" not in repr(history_of(None))
    assert repr(History()) == "History(no evaluations)"
    page = history_of(*range(40))._repr_html_()
    assert page.count("<tr") == 6
    assert "400" in page
