"""``python -m experiments.defaults.page``: the tables of ``docs/defaults.md``, from the methods
themselves and from the records. Seconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.defaults.__main__ import DIGITS, METHODS, RECORDS, TABLES, variants
from softshare.methods import settings
from softshare.methods.named import AUTO, NETWORKS

PAGE = Path("docs/defaults.md")


def options_table() -> str:
    """The options of every network method, those of equal options in one row."""
    of_options: dict[str, list[str]] = {}
    for method in (*NETWORKS, AUTO):
        told = ", ".join(f"`{name}={value}`" for name, value in method.options.items())
        of_options.setdefault(told, []).append(f"`{method.name}`")
    lines = ["| methods | options and their defaults |", "|---|---|"]
    for told, names in of_options.items():
        lines.append(f"| {', '.join(names)} | {told or 'none'} |")
    return "\n".join(lines)


def settings_table() -> str:
    """What every network is trained with, by kind of input."""
    kinds = list(settings.BUDGETS)
    lines = [f"| default | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    rows: dict[str, list[Any]] = {
        "steps": [settings.BUDGETS[kind]["steps"] for kind in kinds],
        "examples of every task a step": [settings.BUDGETS[kind]["batch_size"] for kind in kinds],
        "learning rate": [settings.LEARNING_RATE] * len(kinds),
        "weight decay, thousandths a step": [settings.WEIGHT_DECAY[kind] for kind in kinds],
        "dropout": [settings.DROPOUT[kind] for kind in kinds],
    }
    for name, values in rows.items():
        lines.append(f"| {name} | {' | '.join(str(value) for value in values)} |")
    return "\n".join(lines)


def runs() -> pd.DataFrame:
    """A row a problem, fraction, seed, method and variant."""
    rows = []
    for path in sorted(RECORDS.glob("*.json")):
        record = json.loads(path.read_text())
        cell = {name: record[name] for name in ("problem", "fraction", "seed")}
        rows += [cell | run for run in record["runs"]]
    return pd.DataFrame(rows)


def gains_table(found: pd.DataFrame, problems: list[str]) -> str:
    """The defaults' values, and what each change gains on them: mean over seeds and methods."""
    here = found[found["problem"].isin(problems)]
    index = ["problem", "fraction", "seed", "method"]
    values = here.pivot(index=index, columns="variant", values="value")
    gains = values.sub(values["defaults"], axis=0)
    cells = list(dict.fromkeys((key[0], key[1]) for key in values.index))
    cells.sort(key=lambda cell: (list(METHODS).index(cell[0]), cell[1]))
    heads = [f"{problem} {100 * fraction:g} %" for problem, fraction in cells]
    lines = [f"| | {' | '.join([*heads, 'mean'])} |", "|---" * (len(heads) + 2) + "|"]
    for variant in variants(problems[0]):
        if variant not in values:
            continue
        texts = []
        for cell in cells:
            if variant == "defaults":
                texts.append(f"{values.loc[cell, variant].mean():.3f}")
            else:
                own = gains.loc[cell, variant].dropna()
                texts.append(f"{own.mean():+.4f}" if len(own) else "")
        mean = gains.groupby(["problem", "fraction"])[variant].mean()
        last = "" if variant == "defaults" else f"{mean.mean():+.4f}"
        lines.append(f"| {variant} | {' | '.join(texts)} | {last} |")
    return "\n".join(lines)


def written(text: str, mark: str, made: str) -> str:
    """A page with what is made between two marks."""
    begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->\n"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{made}\n\n{end}{rest.split(end)[1]}"


def main() -> None:
    """Write the tables between the page's marks."""
    found = runs()
    text = PAGE.read_text()
    text = written(text, "options", options_table())
    text = written(text, "settings", settings_table())
    for mark, problems in (("tables", TABLES), (DIGITS, (DIGITS,))):
        run = [problem for problem in problems if (found["problem"] == problem).any()]
        if run:
            text = written(text, mark, gains_table(found, run))
    PAGE.write_text(text)
    told = found.groupby("problem").agg(seeds=("seed", "nunique"), runs=("value", "size"))
    print(told.to_string())


if __name__ == "__main__":
    main()
