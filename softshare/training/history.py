"""What training recorded, as rows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, float | int | None]

HTML_ROWS = 5
"""How many rows a notebook shows."""


class History(list[Row]):
    """Rows of a training run, one an evaluation: ``step``, ``train_loss``, ``validation_loss``,
    ``penalty``, ``seconds``.

    Losses are means over tasks; the training loss is the mean over the steps since the row before.
    ``validation_loss`` is None without validation data.
    """

    @property
    def best_step(self) -> int | None:
        """The first step of the least validation loss; None without validation data."""
        best = self._best()
        return None if best is None else int(self[best]["step"] or 0)

    @property
    def still_improving(self) -> bool:
        """Whether the last validation loss is the least: with more steps it may fall further."""
        return len(self) > 0 and self._best() == len(self) - 1

    def _best(self) -> int | None:
        """The place of the row with the least validation loss."""
        losses = [row["validation_loss"] for row in self]
        known = [(loss, place) for place, loss in enumerate(losses) if loss is not None]
        return min(known)[1] if known else None

    def __repr__(self) -> str:
        if not self:
            return "History(no evaluations)"
        first, last, best = self[0], self[-1], self._best()
        steps = f"steps {first['step']} to {last['step']}"
        parts = [f"{len(self)} evaluations", steps, f"train loss {_number(last['train_loss'])}"]
        if best is not None:
            loss = _number(self[best]["validation_loss"])
            parts.append(f"best validation loss {loss} at step {self.best_step}")
        return f"History({', '.join(parts)})"

    def _repr_html_(self) -> str:
        """The last rows as a table, for notebooks."""
        table = self.to_frame().tail(HTML_ROWS).to_html(index=False)
        return f"<p>{escape(repr(self))}</p>{table}"

    def column(self, name: str) -> list[float | int | None]:
        """One column of all rows."""
        return [row[name] for row in self]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame(list(self))


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
