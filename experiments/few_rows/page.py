"""``python -m experiments.few_rows.page``: the tables of ``docs/few-rows.md`` from the records.

Every method's mean in every cell and mean rank; what ``auto`` and ``auto quick`` gain over what a
person would use instead and over the best single method, paired by seeds; the best way to share
that is learned beside pooled-ridge and the best that shares nothing; every network's default at a
tenth of the rows; and the same of ``auto`` on tables that were held out. A summary is printed.
Seconds.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from experiments.few_rows.judged import (
    AUTOS,
    RIVALS,
    SHARING,
    best_of,
    cells,
    difference,
    mean_ranks,
    network_gaps,
    read_all,
    singles,
)
from experiments.few_rows.tables import HELD_OUT
from softshare.methods.named import AUTO

PAGE = Path("docs/few-rows.md")
SHOWN = (
    *(method.name for method in AUTO.presets["default"]),
    "tensor-train",
    "boosted-apart",
    "kernel-apart",
    *AUTOS,
)
Cells = dict[tuple[str, float], pd.DataFrame]


def values_table(found: Cells) -> str:
    """Mean of the methods of ``auto`` in every cell, the best in bold, and mean ranks; nothing of
    a method that was run on few of the cell's seeds, which is no mean beside the others'.
    """
    lines = [_row("table, fraction", "seeds", *SHOWN), "|---" * (len(SHOWN) + 2) + "|"]
    for key, values in found.items():
        means = values[[*singles(values), *(name for name in AUTOS if name in values)]].mean()
        best = means[[name for name in SHOWN if name in means]].max()
        texts = []
        for name in SHOWN:
            text = f"{means[name]:.3f}" if name in means else ""
            texts.append(f"**{text}**" if name in means and means[name] == best else text)
        lines.append(_row(_cell(key), str(values["ridge"].count()), *texts))
    ranks = mean_ranks(found)["rank"]
    texts = [f"{ranks[name]:.1f}" if name in ranks else "" for name in SHOWN]
    lines.append(_row("mean rank", "", *texts))
    return "\n".join(lines)


def gains_table(found: Cells, auto: str) -> tuple[str, str]:
    """What an ``auto`` gains in every cell, and a sentence that counts."""
    heads = [f"over {rival}" for rival in RIVALS]
    lines = [_row("table, fraction", "seeds", *heads, "over the best single one")]
    lines.append("|---" * (len(heads) + 3) + "|")
    counts = {rival: [0, 0, 0] for rival in RIVALS}  # better, worse, all
    near, behind = 0, []
    for key, values in found.items():
        if auto not in values:
            continue
        texts = []
        for rival in RIVALS:
            if rival not in values:
                texts.append("")
                continue
            gain = difference(values, auto, rival)
            counts[rival][0] += gain["sure"] == 1
            counts[rival][1] += gain["sure"] == -1
            counts[rival][2] += 1
            texts.append(_told(gain))
        best = best_of(values, singles(values))
        gain = difference(values, auto, best)
        within = not gain["mean"] < -gain["error"]
        near += within
        if not within:
            behind.append(_cell(key))
        texts.append(f"{_told(gain)} ({best})")
        lines.append(_row(_cell(key), str(gain["seeds"]), *texts))
    if len(lines) == 2:
        return "", f"`{auto}` has no records with the methods that it weighs now."
    told = [f"{rival} {b} / {w} of {n}" for rival, (b, w, n) in counts.items()]
    sentence = f"`{auto}` is surely better / worse than {', '.join(told)} cells; "
    sentence += f"at most one standard error below the best single method in {near} of "
    sentence += f"{near + len(behind)}"
    sentence += f" (not: {', '.join(behind)})." if behind else "."
    return "\n".join(lines), sentence


def sharing_table(found: Cells) -> tuple[str, str]:
    """The best learned sharing beside pooled-ridge and the best of what learns none."""
    lines = [_row("table, fraction", "best learned sharing", "over pooled-ridge", "over the rest")]
    lines.append("|---|---|---|---|")
    n_cells, near, above = 0, 0, set()
    for key, values in found.items():
        learned = [name for name in singles(values) if name in SHARING]
        rest = [name for name in singles(values) if name not in SHARING]
        best, other = best_of(values, learned), best_of(values, rest)
        over_other = difference(values, best, other)
        texts = [""]
        if "pooled-ridge" in values:
            over_pooled = difference(values, best, "pooled-ridge")
            texts = [_told(over_pooled)]
            n_cells += 1
            near += not over_pooled["mean"] < -over_pooled["error"]
        if over_other["mean"] > 0:
            above.add(key[0])
        lines.append(_row(_cell(key), best, *texts, f"{_told(over_other)} ({other})"))
    sentence = "The best learned sharing is at most one standard error below pooled-ridge in "
    sentence += f"{near} of {n_cells} cells, and above all that learns none on "
    sentence += f"{len(above)} tables ({', '.join(sorted(above))})."
    return "\n".join(lines), sentence


def networks_table(records: pd.DataFrame) -> str:
    """Every network's default less pooled-ridge at a tenth of the rows."""
    gaps = network_gaps(records)
    tables = [name for name in gaps if not name.endswith(" seeds")]
    lines = [_row("network", *tables), "|---" * (len(tables) + 1) + "|"]
    for name, row in gaps.iterrows():
        texts = []
        for table in tables:
            value = row[table]
            seeds = row[f"{table} seeds"]
            texts.append("" if pd.isna(value) else f"{value:+.3f} ({seeds:.0f})")
        lines.append(_row(str(name), *texts))
    return "\n".join(lines)


def _cell(key: tuple[str, float]) -> str:
    return f"{key[0]} {100 * key[1]:g} %"


def _row(*texts: str) -> str:
    return f"| {' | '.join(texts)} |"


def _told(gain: dict[str, float]) -> str:
    """``+0.012 ± 0.002``, in bold where it is sure."""
    if gain["error"] != gain["error"]:  # too few seeds
        return f"{gain['mean']:+.3f}"
    text = f"{gain['mean']:+.3f} ± {gain['error']:.3f}"
    return f"**{text}**" if gain["sure"] else text


def main() -> None:
    """Write the tables between the page's marks, and print what is counted."""
    records = read_all()
    found = cells(records)
    gaps = "Networks at a tenth of the rows, less pooled-ridge (seeds):"
    developed = [*_judged(found), gaps, networks_table(records)]
    held_out = _judged(cells(read_all(HELD_OUT)))
    text = PAGE.read_text()
    for name, pieces in {"records": developed, "held out": held_out}.items():
        text = _between_marks(text, name, "\n\n".join(pieces))
        print(name, *(piece for piece in pieces if not piece.startswith("|")), sep="\n")
    PAGE.write_text(text)
    print(mean_ranks(found).round(2).to_string())


def _judged(found: Cells) -> list[str]:
    """Values, and what each ``auto`` and the best learned sharing gain."""
    pieces = [values_table(found)]
    for auto in AUTOS:
        table, sentence = gains_table(found, auto)
        pieces += [sentence, table]
    table, sentence = sharing_table(found)
    return [*pieces, sentence, table]


def _between_marks(text: str, name: str, made: str) -> str:
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    return f"{before}{begin}\n{made}\n\n{end}{after}"


if __name__ == "__main__":
    main()
