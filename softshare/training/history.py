"""What training recorded, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, float | int | None]


class History(list[Row]):
    """Rows of a training run, one an evaluation: ``step``, ``train_loss``, ``validation_loss``,
    ``penalty``, ``seconds``.

    Losses are means over tasks; the training loss is the mean over the steps since the row before.
    ``validation_loss`` is None without validation data.
    """

    def column(self, name: str) -> list[float | int | None]:
        """One column of all rows."""
        return [row[name] for row in self]

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame(list(self))
