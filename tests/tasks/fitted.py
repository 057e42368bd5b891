"""What the rows of a frame say of its columns, for tests."""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.features import TableColumns


def fitted_on(frame: pd.DataFrame) -> tuple[TableColumns, tuple[str, ...]]:
    columns, notes, _ = EncodedColumns.of(frame).fit(np.arange(len(frame)))
    return columns, notes
