"""What a comparison found, for whoever compares in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import pandas as pd

from softshare.evaluation.answer import answer
from softshare.evaluation.cautions import cautions
from softshare.evaluation.records.records import Record
from softshare.evaluation.statistics import leaderboard, summarise
from softshare.evaluation.words import count
from softshare.tasks.printable import printable


@dataclass(frozen=True, repr=False)
class Comparison:
    """What a comparison found.

    Args:
        records: one a run, in the order of their keys; with ``out``, all that the folder holds.
        left_out: methods that run by default but cannot apply to the tasks → why.
        failures: key → exception of the runs that failed; they run again when asked for again.
    """

    records: tuple[Record, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, BaseException] = field(default_factory=dict)

    @property
    def answer(self) -> str:
        """One sentence: whether learning together beats learning apart."""
        return answer(self.records)

    @property
    def cautions(self) -> list[str]:
        """What to know besides: hurt tasks, missing intervals, runs that diverged."""
        return cautions(self.records)

    @property
    def summary(self) -> pd.DataFrame:
        """A row per method, fraction and task: the columns of ``summary.csv``."""
        return summarise(self.records)

    @property
    def leaderboard(self) -> pd.DataFrame:
        """A row per method and fraction: gain, parameters, tasks helped and hurt, seconds."""
        return leaderboard(self.records)

    def __repr__(self) -> str:
        methods = {record["settings"]["method"] for record in self.records}
        seeds = {record["settings"]["seed"] for record in self.records}
        tasks = self.records[0]["data"]["tasks"] if self.records else ()
        sizes = [
            count(len(self.records), "run"),
            count(len(methods), "method"),
            count(len(tasks), "task"),
            count(len(seeds), "seed"),
        ]
        failed = f", {len(self.failures):,} failed" if self.failures else ""
        return f"Comparison({', '.join(sizes)}{failed}: {self.answer})"

    def _repr_html_(self) -> str:
        """The answer, the leaderboard and the cautions, for a notebook."""
        parts = [f"<p><strong>{escape(self.answer)}</strong></p>"]
        board = self.leaderboard.dropna(axis="columns", how="all")
        parts.append(board.to_html(index=False, na_rep="", float_format="{:.4g}".format))
        cautions = [f"<li>{escape(line)}</li>" for line in self.cautions]
        if cautions:
            parts.append(f"<ul>{''.join(cautions)}</ul>")
        return printable("\n".join(parts))
