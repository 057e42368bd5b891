"""What the benchmarks say of their rows, on rows made by hand."""

from __future__ import annotations

from typing import Any

from benchmarks.__main__ import summary
from benchmarks.page import losses, page


def row(
    name: str,
    ratio: float,
    *,
    group: str = "layers",
    memory: float = 1.0,
    least: float | None = None,
) -> dict[str, Any]:
    return {
        "group": group,
        "name": name,
        "other": f"not {name}",
        "ratio": ratio,
        "low": ratio,
        "high": ratio,
        "seconds": (0.001, 0.001 * ratio),
        "peak_bytes": (1000, int(1000 * memory)),
        "gemm_share": (0.5, 0.25),
        "memory_ratio": memory,
        "at_least": least,
        "memory_at_least": None,
        "reached": None if least is None else ratio >= least,
    }


def test_the_summary_counts_what_is_reached_and_means_are_geometric() -> None:
    rows = [row("a", 2.0, least=1.5), row("b", 8.0), row("c", 0.5, group="peers", least=1.0)]
    assert summary(rows).startswith("1 of 2 ratios")
    assert summary(rows).endswith("layers 4.00, peers 0.50")


def test_losses_are_of_time_or_of_memory_the_slowest_first() -> None:
    lines = losses(
        [
            row("fast", 2.0),
            row("slow", 0.8),
            row("large", 2.0, memory=0.5),
            row("slowest", 0.5, memory=0.95),
        ]
    ).splitlines()
    assert [line for line in lines if line.startswith("| ")][1:] == [
        "| slowest | not slowest | 2.00 |  |",
        "| slow | not slow | 1.25 |  |",
        "| large | not large |  | 2.00 |",
    ]
    assert "Not reached" not in "\n".join(lines)


def test_what_is_not_reached_is_told_and_trace_norms_in_one_line() -> None:
    norms = [
        row(f"norm {ratio}", ratio, group="trace norm", least=4.0) for ratio in (1.0, 2.0, 5.0)
    ]
    told = losses([row("ring", 0.2, least=0.25), row("reached", 2.0, least=1.0), *norms]).split(
        "Not reached:"
    )[1]
    assert told.split("\n* ")[1:] == [
        "ring against not ring: 0.20, where 0.25 is asked for.",
        "2 rows of trace norms; the farthest off is norm 1.0 against not norm 1.0: 1.00, "
        "where 4.00 is asked for.\n",
    ]


def test_missed_memory_is_told_too() -> None:
    many = row("many", 1.0, memory=0.5, least=0.6) | {"memory_at_least": 0.6, "reached": False}
    assert "many against not many: memory 0.50, where 0.60 is asked for." in losses([many])


def test_without_losses_the_page_says_so() -> None:
    assert "Nowhere" in losses([row("fast", 2.0)])


def test_the_page_has_a_table_for_each_group_and_no_arithmetic_of_decompositions() -> None:
    about = {"device": "cpu", "threads": 1, "torch": "2", "date": "2026-01-01"}
    text = page(about, [row("a layer", 2.0), row("a norm", 2.0, group="trace norm")])
    assert (
        "| a layer | not a layer | 2.00 | 2.00–2.00 |  | 1 / 2 | 0.001 / 0.001 | 50% / 25% |"
        in text
    )
    assert "| a norm | not a norm | 2.00 | 2.00–2.00 |  | 1 / 2 | 0.001 / 0.001 |  |" in text
    assert "## Very many tasks" not in text
