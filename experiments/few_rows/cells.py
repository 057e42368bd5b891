"""A cell — a table, a fraction of its training part and a seed — and what is kept of it.

``records`` has the figures, in the checkout. Outputs, on rows held out and on the test part, are
kept beside them for as long as ``auto`` may weigh them, and are no part of the checkout.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import softshare
from softshare.methods.method import Learned
from softshare.tasks.task_set import TaskSet

RECORDS = Path(__file__).parent / "records"
OUTPUTS = Path(__file__).parent / "outputs"


@dataclass(frozen=True)
class Cell:
    """One of them.

    Args:
        table: its name.
        fraction: of the training part.
        seed: of the split and all that learns.
    """

    table: str
    fraction: float
    seed: int

    @property
    def name(self) -> str:
        """For example ``exam-0.1-3``."""
        return f"{self.table}-{self.fraction:g}-{self.seed}"

    def read(self) -> dict[str, Any]:
        """Method → its figures; empty before the first."""
        if not self._path.exists():
            return {}
        methods: dict[str, Any] = json.loads(self._path.read_text())["methods"]
        return methods

    def add(self, method: str, figures: dict[str, Any], train: TaskSet) -> None:
        """Write a method's figures beside the others', with the code that they are of."""
        known = self.read() | {method: figures | {"code": code_digest()}}
        record = {"table": self.table, "fraction": self.fraction, "seed": self.seed}
        record |= {"n_train": len(train.rows), "n_tasks": len(train), "methods": known}
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps(record, indent=1) + "\n")
        whole.replace(self._path)

    def keep(self, method: str, learned: Learned, test: TaskSet) -> Kept:
        """Write what a method says of rows held out and of the test part."""
        assert learned.out_of_fold is not None
        held_out = np.concatenate(list(learned.out_of_fold))
        outputs = np.concatenate(learned.predict(test))
        OUTPUTS.mkdir(exist_ok=True)
        np.savez(self._outputs(method), held_out=held_out, test=outputs)
        return Kept(held_out, outputs)

    def kept(self, method: str) -> Kept | None:
        """What :meth:`keep` wrote."""
        path = self._outputs(method)
        if not path.exists():
            return None
        with np.load(path) as arrays:
            return Kept(arrays["held_out"], arrays["test"])

    def _outputs(self, method: str) -> Path:
        return OUTPUTS / f"{self.name}-{method}.npz"

    @property
    def _path(self) -> Path:
        return RECORDS / f"{self.name}.json"


@dataclass(frozen=True, eq=False)
class Kept(Learned):
    """What a method said once: enough to be weighed again.

    Args:
        held_out: outputs on the training entries by what was not trained on them.
        test: outputs on the cell's test part.
    """

    held_out: np.ndarray
    test: np.ndarray

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """The outputs on the cell's test part, whose tasks are all there."""
        return np.split(self.test, np.cumsum(tasks.n_examples)[:-1])

    @property
    def n_parameters(self) -> int | None:
        """Not kept."""
        return None

    @property
    def out_of_fold(self) -> Sequence[np.ndarray]:
        """See :attr:`Learned.out_of_fold`; in one piece."""
        return [self.held_out]


@cache
def code_digest() -> str:
    """Of the package's source: figures with another one are of other code."""
    package = Path(softshare.__file__).parent
    digest = hashlib.blake2b(digest_size=5)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
