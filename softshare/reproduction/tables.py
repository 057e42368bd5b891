"""An experiment's numbers as CSV and Markdown: ours, the paper's beside them, and the verdicts."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from itertools import chain

from softshare.reproduction.claims import Claim
from softshare.reproduction.measures import Measure
from softshare.reproduction.results import Choice, Results
from softshare.reproduction.verdict import Estimate, Verdict

CSV_HEADS = (
    "case",
    "contestant",
    "measure",
    "mean",
    "std",
    "ci_low",
    "ci_high",
    "n_seeds",
    "published",
)

Rows = Sequence[Sequence[str]]


def csv_of(results: Results) -> str:
    """A row a case, contestant and number that is measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_HEADS)
    for case in results.cases():
        for each in results.contestants(case):
            for column in columns_of(results, all_of=True):
                found = results.estimate(case.name, each.name, column)
                if found is None:
                    continue
                numbers = [found.mean, found.deviation, found.low, found.high]
                published = results.published(case.name, each.name, column)
                told = [_exact(value) for value in [*numbers, found.n_seeds, published]]
                writer.writerow([case.name, each.name, column, *told])
    return text.getvalue()


def table_of(results: Results) -> str:
    """The table in Markdown: a row a case and contestant, mean ± standard deviation over the seeds
    and, where the paper has one, its number in brackets.
    """
    columns = columns_of(results)
    several = len(results.cases()) > 1
    heads = [*(["case"] if several else []), "", *(head_of(results, name) for name in columns)]
    rows = []
    for case in results.cases():
        for each in results.contestants(case):
            cells = [case.shown or case.name] if several else []
            cells.append(each.shown)
            for column in columns:
                cells.append(cell_of(results, case.name, each.name, column))
            n_seeds = str(len(results.of(case.name, each.name)))
            rows.append([*cells, n_seeds])
    return markdown([*heads, "seeds"], rows)


def verdicts_of(verdicts: Mapping[Claim, Verdict]) -> str:
    """The claims in Markdown: the paper's gain and ours, the control's, and the ruling."""
    rows = []
    for claim, verdict in verdicts.items():
        published = "–" if claim.published is None else _signed(claim.published)
        excluded = " (excluded)" if verdict.excludes_published else ""
        rows.append(
            [
                claim.text,
                f"{published}{excluded}",
                f"{claim.smallest:+g}",
                _interval(verdict.gain),
                control_told(claim, verdict),
                f"**{verdict.told}**",
            ]
        )
    heads = ["claim", "published", "counts from", "here (95 %)", "control", "verdict"]
    return markdown(heads, rows)


def choices_of(results: Results) -> str:
    """What was chosen among candidates, in Markdown: a row a search; empty without one."""
    rows = []
    measures = set()
    for case in results.cases():
        for each in results.contestants(case):
            choice = results.choice(case.name, each.name)
            if choice is None:
                continue
            measure = results.experiment.measure(choice.measure)
            measures.add(measure.shown)
            scores = [_candidate(name, choice, measure) for name in choice.means]
            rows.append([case.shown or case.name, each.shown, ", ".join(scores)])
    if not rows:
        return ""
    measured = ", ".join(sorted(measures))
    told = f"candidates, the chosen one in bold, on draws that are not reported: {measured}"
    return markdown(["case", "choice", told], rows)


def _candidate(name: str, choice: Choice, measure: Measure) -> str:
    """A candidate and what it scored."""
    mean = choice.means[name]
    told = f"{name} {'diverged' if mean is None else f'{mean:.{measure.digits}f}'}"
    return f"**{told}**" if name == choice.candidate else told


def control_told(
    claim: Claim,
    verdict: Verdict,
) -> str:
    """The gain in the control, or why there is none."""
    if claim.control is None:
        return "–"
    return "not run" if verdict.control is None else _interval(verdict.control)


def columns_of(
    results: Results,
    *,
    all_of: bool = False,
) -> list[str]:
    """The names of a table's columns, or of all numbers that are measured."""
    measures = [each for each in results.experiment.measures if all_of or each.in_table]
    return list(chain.from_iterable(results.names(each.name) for each in measures))


def head_of(
    results: Results,
    column: str,
) -> str:
    """A column's head: what is measured, and of what."""
    measure = results.experiment.measure(column)
    _, _, key = column.partition("/")
    return f"{measure.shown}: {key}" if key else measure.shown


def cell_of(
    results: Results,
    case: str,
    contestant: str,
    column: str,
) -> str:
    """Mean ± standard deviation, and the paper's number in brackets."""
    found = results.estimate(case, contestant, column)
    if found is None:
        return "–"
    measure = results.experiment.measure(column)
    cell = _mean(found, measure)
    published = results.published(case, contestant, column)
    return cell if published is None else f"{cell} [{published:.{measure.digits}f}]"


def markdown(
    heads: Sequence[str],
    rows: Rows,
) -> str:
    """A table; nothing of a cell is markup but what was put there."""
    lines = [_line(heads), "|---" * len(heads) + "|", *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    told = [" ".join(cell.replace("|", "\\|").split()) for cell in cells]
    return f"| {' | '.join(told)} |"


def _mean(
    found: Estimate,
    measure: Measure,
) -> str:
    mean = f"{found.mean:.{measure.digits}f}"
    if found.n_seeds == 1:
        return mean
    return f"{mean} ± {found.deviation:.{measure.digits}f}"


def _interval(found: Estimate | None) -> str:
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{_signed(found.mean)} (of {found.n_seeds}, no interval)"
    return (
        f"{_signed(found.mean)} [{_signed(found.low)}, {_signed(found.high)}] (of {found.n_seeds})"
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _exact(value: float | int | None) -> str:
    return "" if value is None else f"{value:.6g}"
