"""How the report's figures look, and how one becomes inline SVG that follows the page's light or
dark theme.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from softshare.evaluation.statistics import BASELINE

PALETTE: Mapping[str, tuple[str, str]] = {
    "ink": ("#1b2430", "#e8ebf0"),
    "soft": ("#596473", "#a3adba"),
    "line": ("#d3d9e1", "#3b4552"),
    "page": ("#f5f7f9", "#11151b"),
    "card": ("#fffffe", "#1a2029"),
    "helped": ("#0b66a6", "#62b6f2"),
    "hurt": ("#c04408", "#ff9a5e"),
    "series-1": ("#0072b2", "#58b4f5"),
    "series-2": ("#d55e00", "#ff9350"),
    "series-3": ("#00805a", "#3fcf9f"),
    "series-4": ("#a23f86", "#e795cf"),
    "series-5": ("#a87900", "#e7bb46"),
    "series-6": ("#3d4fb8", "#a9b5ff"),
    "series-7": ("#8a4b2f", "#d9a185"),
}
"""Colours by name, (light, dark). A figure is drawn in the light ones, which then become CSS
variables.
"""

_LEGEND_ROW = 0.21
_LEGEND_ROWS = 1
"""Inches of a row of names, and how many rows a figure has room for."""

MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p", "h")
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "softshare",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": PALETTE["line"][0],
    "axes.labelcolor": PALETTE["soft"][0],
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "grid.color": PALETTE["line"][0],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.labelcolor": PALETTE["ink"][0],
    "text.color": PALETTE["ink"][0],
    "xtick.color": PALETTE["line"][0],
    "xtick.labelcolor": PALETTE["soft"][0],
    "ytick.color": PALETTE["line"][0],
    "ytick.labelcolor": PALETTE["ink"][0],
}


@dataclass(frozen=True)
class Look:
    """The colour and marker by which a method is known in every figure."""

    colour: str
    marker: str


def legend_above(figure: Figure, *, columns: int = 2) -> None:
    """Names of what is drawn above a figure's panel; the figure grows with them, so that many leave
    the panel its height.
    """
    _, names = figure.axes[0].get_legend_handles_labels()
    width, height = figure.get_size_inches()
    figure.set_size_inches(
        width, height + _LEGEND_ROW * max(0, ceil(len(names) / columns) - _LEGEND_ROWS)
    )
    figure.legend(loc="outside upper left", ncols=columns)


def colour(name: str) -> str:
    """The light colour of that name, which the page replaces by its theme's."""
    return PALETTE[name][0]


def looks(methods: Iterable[str]) -> dict[str, Look]:
    """A look for every method: grey for independent learning, a colour and a marker for each other
    one.
    """
    series = [name for name in PALETTE if name.startswith("series-")]
    others = sorted(set(methods) - {BASELINE})
    chosen = {
        method: Look(colour(series[number % len(series)]), MARKERS[1 + number % (len(MARKERS) - 1)])
        for number, method in enumerate(others)
    }
    return {BASELINE: Look(colour("soft"), MARKERS[0]), **chosen}


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib's settings for the report, within the block only.

    The browser draws the text, so a glyph that Matplotlib's own font lacks is no fault.
    """
    with matplotlib.rc_context(_SETTINGS), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=r"Glyph .* missing from font", category=UserWarning
        )
        yield


def svg(figure: Figure, name: str) -> Markup:
    """The figure as an ``<svg>`` element to stand inside a page.

    Args:
        figure: drawn in the colours of `PALETTE`.
        name: begins every id in the element, so that figures on one page do not clash.
    """
    buffer = io.StringIO()
    figure.savefig(
        buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    text = buffer.getvalue()
    text = re.sub(
        r"<!--.*?-->|<style.*?</style>",
        "",
        text[text.index("<svg") :],
        flags=re.DOTALL,
    )
    used = frozenset(re.findall(r"(?:url\(|href=\")#([^)\"]+)", text))
    opening, rest = text.split(">", 1)
    # Only tags are changed: what stands between them may be a task's name.
    return Markup(
        _opening(opening)
        + re.sub(r"<[^>]+>", lambda tag: _tag(tag[0], name, used), re.sub(r"\s*\n\s*", "\n", rest))
    )


def _opening(tag: str) -> str:
    """Let the page set the size, and the element keep its proportions."""
    (box,) = re.findall(r'viewBox="[^"]*"', tag)
    rem = float(box.split()[2]) / 12
    return f'<svg {box} style="max-width: {rem:.3g}rem" aria-hidden="true">'


def _tag(
    tag: str,
    name: str,
    used: frozenset[str],
) -> str:
    """A tag with the page's colours and font, rounded, and with ids of its own, kept where
    something refers to them.
    """
    tag = re.sub(
        r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", tag
    )
    tag = re.sub(
        r"(url\(|xlink:href=\")#",
        rf"\1#{name}-",
        tag,
    ).replace("xlink:href", "href")
    tag = re.sub(r"font-family: [^;\"]*;? ?| transform=\"rotate\(-0 [^\"]*\"", "", tag)
    tag = re.sub(r"(\.\d\d)\d+", r"\1", tag)
    for variable, (light, _) in PALETTE.items():
        tag = tag.replace(light, f"var(--{variable})")
    return tag
