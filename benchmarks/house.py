"""How the code is laid out, and whether it keeps to the rules of the house.

``python -m benchmarks.house`` prints a line a package and one for the whole: syntax nodes, comments
and comprehensions by lines of code, and the longest line; then the modules without a test file of
their name. It fails where code is packed (more than :data:`MOST_NODES` nodes a line) or a line is
too long.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "softshare"

MOST_NODES = 9.0
"""Syntax nodes a line of code, contexts (load, store) counted: well-spaced Python has 6 to 9."""

MOST_COLUMNS = 100

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

UNTESTED = ("__init__", "_version")
"""Modules without behaviour of their own."""


@dataclass(frozen=True)
class Layout:
    """What was counted in some source files.

    Args:
        code: lines that are neither empty, nor a comment, nor a docstring.
        nodes: of the syntax trees.
        comprehensions: lists, sets, mappings and generators.
        comments: also those at the end of a line.
        longest: columns of the longest line.
    """

    code: int = 0
    nodes: int = 0
    comprehensions: int = 0
    comments: int = 0
    longest: int = 0

    def __add__(self, other: Layout) -> Layout:
        return Layout(
            self.code + other.code,
            self.nodes + other.nodes,
            self.comprehensions + other.comprehensions,
            self.comments + other.comments,
            max(self.longest, other.longest),
        )

    @property
    def density(self) -> float:
        """Syntax nodes a line of code."""
        return self.nodes / max(1, self.code)

    def row(self, name: str) -> str:
        """A line of the table that :func:`main` prints."""
        per_hundred = 100 / max(1, self.code)
        return (
            f"{name:<24}{self.code:>8}{self.density:>8.2f}"
            f"{self.comments * per_hundred:>10.1f}"
            f"{self.comprehensions * per_hundred:>16.1f}"
            f"{self.longest:>10}"
        )


HEADINGS = (
    f"{'package':<24}{'code':>8}{'nodes':>8}{'comments':>10}{'comprehensions':>16}{'longest':>10}"
)


def layout_of(source: str) -> Layout:
    """What is counted in one file."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    lines = source.splitlines()
    documentation = _docstring_lines(nodes)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    code = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text and not text.startswith("#") and number not in documentation:
            code += 1
    return Layout(
        code,
        len(nodes),
        comprehensions=sum(isinstance(node, COMPREHENSIONS) for node in nodes),
        comments=sum(token.type == tokenize.COMMENT for token in tokens),
        longest=max(map(len, lines), default=0),
    )


def _docstring_lines(nodes: Iterable[ast.AST]) -> set[int]:
    """The numbers of all lines on which the docstrings of modules, classes and functions stand."""
    numbers: set[int] = set()
    for node in nodes:
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            last = docstring.end_lineno or docstring.lineno
            numbers.update(range(docstring.lineno, last + 1))
    return numbers


def by_package(root: Path, package: str = PACKAGE) -> dict[str, Layout]:
    """The layout of every package under ``root``, its subpackages counted in it."""
    layouts: dict[str, Layout] = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).parts
        # softshare/network/execution/plan.py belongs to softshare/network
        name = "/".join(parts[:2]) if len(parts) > 2 else package
        layouts[name] = layouts.get(name, Layout()) + layout_of(path.read_text(encoding="utf-8"))
    return layouts


def without_tests(root: Path, package: str = PACKAGE) -> list[tuple[str, str]]:
    """Every module that has no test file of its name in the mirrored place, and that place."""
    lacking = []
    for path in sorted((root / package).rglob("*.py")):
        if path.stem in UNTESTED:
            continue
        inside = path.relative_to(root / package)
        test = root / "tests" / inside.with_name(f"test_{path.stem.lstrip('_')}.py")
        if not test.exists():
            lacking.append((str(path.relative_to(root)), str(test.relative_to(root))))
    return lacking


def broken_rules(layouts: dict[str, Layout]) -> list[str]:
    """A sentence for every rule that is broken."""
    broken = []
    for name, layout in layouts.items():
        if layout.density > MOST_NODES:
            broken.append(f"{name}: {layout.density:.2f} syntax nodes a line, over {MOST_NODES:g}")
        if layout.longest > MOST_COLUMNS:
            broken.append(f"{name}: a line of {layout.longest} columns, over {MOST_COLUMNS}")
    return broken


def main() -> None:
    """Print the figures and the modules without a test file of their name, then what is broken.

    Leaves with 1 where a rule of the layout is broken.
    """
    layouts = by_package(ROOT)
    whole = sum(layouts.values(), Layout())
    print(HEADINGS)
    for name, layout in layouts.items():
        print(layout.row(name))
    print(whole.row("whole"))
    print("nodes: syntax nodes a line of code; comments, comprehensions: in 100 lines of code")
    for module, test in without_tests(ROOT):
        print(f"{module}: no {test}")
    broken = broken_rules({**layouts, "whole": whole})
    for sentence in broken:
        print(sentence, file=sys.stderr)
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
