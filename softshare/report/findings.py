"""What a report draws on: the run records of one comparison and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from softshare.evaluation.apart import chosen_ways, told
from softshare.evaluation.statistics import (
    ALL,
    HELPED,
    HURT,
    UNDECIDED,
    estimates,
    leaderboard,
    standings,
    summarise,
    values_apart,
)
from softshare.report.style import Look, looks
from softshare.report.words import Scale
from softshare.tasks.metrics import RELATIVE


@dataclass(frozen=True)
class Findings:
    """The records of one comparison.

    Args:
        records: one a run, as `softshare.evaluation.records.records.read_records` gives them; at
            least one.
        left_out: methods that could not apply to the tasks, and why.
    """

    records: Sequence[Mapping[str, Any]]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """A row per method, fraction and task, as in ``summary.csv``."""
        return summarise(self.records)

    @cached_property
    def apart(self) -> pd.DataFrame:
        """What learning apart reaches at the fraction shown in detail, a row a task."""
        values = values_apart(self.records)
        return values[values["fraction"] == self.fraction].set_index("task")

    @cached_property
    def way_apart(self) -> str:
        """The way to learn apart that rows held out have chosen there."""
        return told(chosen_ways(self.records), self.fraction)

    @cached_property
    def standings(self) -> pd.DataFrame:
        """The methods against learning apart, the first of every fraction on top."""
        return standings(estimates(self.records))

    @cached_property
    def board(self) -> pd.DataFrame:
        """A row per method and fraction, those first that are shown to help, then those of which
        nothing is shown; the greatest gain first among either, the baseline's counting as 0.
        """
        board = leaderboard(self.records)
        order = {HELPED: 0, UNDECIDED: 1, HURT: 2}
        place_of = {}
        for _, row in self.standings.iterrows():
            run = (row["method"], row["fraction"])
            place_of[run] = order[row["verdict"]]
        runs = zip(board["method"], board["fraction"], strict=True)
        # the baseline, and what has no gain, stand among those of which nothing is shown
        places = [place_of.get(run, order[UNDECIDED]) for run in runs]
        ranked = board.assign(place=places, rank=board["gain"].fillna(0.0))
        return ranked.sort_values(
            ["fraction", "place", "rank"],
            ascending=[True, True, False],
            kind="stable",
            ignore_index=True,
        )

    @cached_property
    def fractions(self) -> list[float]:
        """Fractions of the training part that were used, the smallest first."""
        return sorted({float(fraction) for fraction in self.board["fraction"]})

    @cached_property
    def fraction(self) -> float:
        """The one shown in detail: the largest at which a method has a gain, if any has."""
        with_gain = self.board.dropna(subset="gain")["fraction"]
        return float(with_gain.max()) if len(with_gain) else self.fractions[-1]

    @cached_property
    def methods(self) -> list[str]:
        """All methods, in their order on the board of the fraction shown in detail."""
        is_here = self.board["fraction"] == self.fraction
        here = self.board.loc[is_here, "method"]
        # then those that have no run at this fraction
        return list(dict.fromkeys([*here, *self.board["method"]]))

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that were run."""
        return sorted({int(record["settings"]["seed"]) for record in self.records})

    @cached_property
    def tasks(self) -> Sequence[Mapping[str, Any]]:
        """The tasks as the first record at the fraction shown in detail describes them."""
        tasks: Sequence[Mapping[str, Any]] = self.runs()[0]["data"]["tasks"]
        return tasks

    @cached_property
    def mixed(self) -> bool:
        """Whether the tasks have several metrics, so that only relative gains can be set side by
        side.
        """
        return bool((self.board["metric"] == RELATIVE).any())

    @cached_property
    def scale(self) -> Scale:
        """How gains are written."""
        return Scale.fitting(self.board["gain"], percent=self.mixed)

    @cached_property
    def has_intervals(self) -> bool:
        """Whether any gain has an interval."""
        return bool(self.summary["ci_low"].notna().any())

    @cached_property
    def test_part_is_given(self) -> bool:
        """Whether the data say which rows test, the same for every seed."""
        return any(record["data"].get("test_part") == "given" for record in self.records)

    @cached_property
    def over_test_rows(self) -> bool:
        """Whether the intervals cover what other test rows would have given."""
        return any(record.get("resampled") for record in self.records)

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """Colour and marker of every method."""
        return looks(self.methods)

    @property
    def diverged(self) -> list[Mapping[str, Any]]:
        """The runs whose loss became infinite or not a number."""
        return [record for record in self.records if record["error"]]

    def runs(self, method: str | None = None) -> list[Mapping[str, Any]]:
        """The records at the fraction shown in detail, of one method or of all."""
        found = []
        for record in self.records:
            settings = record["settings"]
            is_asked = method in (None, settings["method"])
            if is_asked and settings["fraction"] == self.fraction:
                found.append(record)
        return found

    def gains(self, method: str) -> pd.DataFrame:
        """The tasks' gains with one method at the fraction shown in detail, set side by side:
        relative ones where the metrics differ.

        Returns:
            One row a task that has a gain: ``task``, ``gain``, ``ci_low``, ``ci_high``; those that
                gain the most with all methods first.
        """
        summary = self.summary
        is_shown = (summary["fraction"] == self.fraction) & (summary["task"] != ALL)
        here = summary[is_shown]
        columns = ["gain", "ci_low", "ci_high"]
        if self.mixed:
            size = self.apart["mean"].abs()
            # a gain relative to 0 is none
            size_of_row = here["task"].map(size.where(size > 0))
            here = here.assign(**{name: here[name] / size_of_row for name in columns})
        over_methods = here.groupby("task", sort=False)["gain"].mean()
        order = over_methods.sort_values(ascending=False, kind="stable").index
        own = here[here["method"] == method].set_index("task")
        ordered = own.reindex(order).dropna(subset="gain")
        return ordered.reset_index()[["task", *columns]]

    @property
    def without_gain(self) -> list[str]:
        """The tasks that no method has a gain for, though there are gains of others."""
        known: set[str] = set()
        for method in self.methods:
            known.update(self.gains(method)["task"])
        if not known:
            return []
        names = [task["name"] for task in self.tasks]
        return [name for name in names if name not in known]

    def curves(self) -> pd.DataFrame:
        """All learning curves at the fraction shown in detail: ``method``, ``seed``, ``step``,
        ``train_loss``, ``validation_loss``.
        """
        rows = []
        for record in self.runs():
            if record["error"]:
                continue
            settings = record["settings"]
            run = {"method": settings["method"], "seed": settings["seed"]}
            rows += [run | row for row in record["curve"]]
        losses = ["train_loss", "validation_loss"]
        table = pd.DataFrame(rows, columns=["method", "seed", "step", *losses])
        return table.astype(dict.fromkeys(losses, float))

    def layers(self) -> pd.DataFrame:
        """What is shared at the fraction shown in detail: a row per method and layer, means over
        the seeds, the extremes of the ranks.
        """
        rows = []
        for method in self.methods:
            for record in self.runs(method):
                for name, layer in record["sharing"]["layers"].items():
                    rows.append({"method": method, "layer": name, **layer})
        if not rows:
            return pd.DataFrame(columns=["method", "layer"])
        averaged = ("parameters", "independent_parameters", "effective_rank")
        means = dict.fromkeys(averaged, "mean")
        table = pd.DataFrame(rows).astype(dict.fromkeys(means, float))
        grouped = table.groupby(["method", "layer"], sort=False)
        return grouped.agg({"sharing": "first", "ranks": _extremes, **means}).reset_index()

    def similarity(self, method: str) -> np.ndarray | None:
        """How alike a method's tasks are, the mean over the seeds, ``(T, T)``; None where it was
        not recorded.
        """
        known = []
        for record in self.runs(method):
            of_run = record["sharing"]["similarity"]
            if of_run:
                known.append(of_run)
        if not known:
            return None
        stacked = np.array(known, dtype=float)  # (S, T, T)
        return np.mean(stacked, axis=0)


def _extremes(ranks: pd.Series) -> list[tuple[int, int]]:
    """Least and greatest rank of every mode over the seeds."""
    extremes = []
    for mode in zip(*ranks, strict=False):
        extremes.append((min(mode), max(mode)))
    return extremes
