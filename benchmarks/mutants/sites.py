"""Where functions can be mutated, and how: by mutmut's operators, on libcst's tree.

An operator makes another node of a node: a number one larger, ``<`` for ``<=``, ``-`` for ``+``,
``and`` for ``or``, ``None`` for an argument or a value, an argument left out, a branch never taken.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

COMPOUND = (cst.If, cst.For, cst.While, cst.With, cst.Try, cst.FunctionDef, cst.ClassDef)
"""Statements that hold others: of these a mutated part has lines of its own."""


@dataclass(frozen=True)
class Site:
    """One mutation that a module allows.

    Args:
        path: of the module, from the root of the repository.
        lines: the first and the last that run with it.
        place: of the node among those of its module, of the operator, and of what it makes.
    """

    path: str
    lines: tuple[int, int]
    place: tuple[int, int, int]


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Args:
        site: of the fault.
        code: the whole module.
        before: the node as it was.
        after: as it is.
        where: the function.
    """

    site: Site
    code: str
    before: str
    after: str
    where: str

    @property
    def key(self) -> str:
        """Names it as long as its function is the same: lines above may move."""
        return f"{self.site.path} | {self.where} | {self.before} → {self.after}"


class _Nodes(cst.CSTVisitor):
    """The nodes of functions' bodies, in their order, but what is never evaluated or only read by
    people: annotations, docstrings, and texts of errors or with a space in them. Neither ``strict``
    of ``zip``, which matters only where the code around it is wrong.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[cst.CSTNode] = []
        self._functions = 0
        self._raised = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Whether to look at what is in it."""
        if isinstance(node, cst.FunctionDef):
            self._functions += 1
            node.body.visit(self)
            self._functions -= 1
            return False
        if isinstance(node, cst.Annotation) or _is_docstring(node) or _is_strict(node):
            return False
        self._raised += isinstance(node, cst.Raise)
        if isinstance(node, cst.SimpleString) and (self._raised or " " in node.value):
            return False
        if self._functions:
            self.found.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Count down what :meth:`on_visit` counted up."""
        self._raised -= isinstance(original_node, cst.Raise)


def sites_of(path: Path, root: Path, kept: Path) -> list[Site]:
    """Every mutation that a module allows.

    Args:
        path: of the module.
        root: of the repository.
        kept: a folder that keeps what was found in the same text.
    """
    text = path.read_text()
    name = path.relative_to(root).as_posix()
    of_all = f"{name} {text} {Path(__file__).read_text()}"  # another choice makes others
    file = kept / f"sites-{hashlib.sha256(of_all.encode()).hexdigest()[:24]}.json"
    if not file.exists():
        file.write_text(json.dumps(list(_found(text))))
    sites = []
    for first, last, *place in json.loads(file.read_text()):
        sites.append(Site(name, (first, last), (place[0], place[1], place[2])))
    return sites


def _found(text: str) -> Iterator[list[int]]:
    wrapper = MetadataWrapper(cst.parse_module(text))
    positions = wrapper.resolve(PositionProvider)
    parents = wrapper.resolve(ParentNodeProvider)
    for place, node in enumerate(_nodes(wrapper.module)):
        for operator, made in _mutations(node):
            position = positions[_running(node, parents)]
            for number in range(len(made)):
                yield [position.start.line, position.end.line, place, operator, number]


def mutant_of(site: Site, root: Path) -> Mutant:
    """The module with the fault of a site."""
    wrapper = MetadataWrapper(cst.parse_module((root / site.path).read_text()))
    parents = wrapper.resolve(ParentNodeProvider)
    module = wrapper.module
    place, operator, number = site.place
    node = _nodes(module)[place]
    made = dict(_mutations(node))[operator][number]
    code = module.deep_replace(node, made).code
    before, after = (" ".join(module.code_for_node(one).split()) for one in (node, made))
    return Mutant(site, code, before, after, _function(node, parents))


def in_drawn_order(sites: Mapping[Any, list[Site]], number: int, seed: int) -> Iterator[list[Site]]:
    """So many draws, from every file as many as its part of all sites: each is a site, followed by
    those that may take its place where it makes no other program.
    """
    generator = random.Random(seed)
    shuffled = [generator.sample(of_file, len(of_file)) for of_file in sites.values()]
    ordered = [site for of_file in shuffled for site in of_file]
    number = min(number, len(ordered))
    step = len(ordered) / number
    start = generator.random() * step
    for draw in range(number):
        first, last = int(start + draw * step), int(start + (draw + 1) * step)
        yield ordered[first : max(last, first + 1)]


def _nodes(module: cst.Module) -> list[cst.CSTNode]:
    visitor = _Nodes()
    module.visit(visitor)
    return visitor.found


def _mutations(node: cst.CSTNode) -> Iterator[tuple[int, list[cst.CSTNode]]]:
    """The number of each operator that applies, and what it makes."""
    for number, (kind, operator) in enumerate(mutation_operators):
        if isinstance(node, kind):
            made = [one for one in operator(node) if not _differs_in_strict_alone(node, one)]
            # Of a text one other text: the same in other letters would be no other fault.
            yield number, made[:1] if operator is operator_string else made


def _running(node: cst.CSTNode, parents: Mapping[Any, Any]) -> cst.CSTNode:
    """The simple statement that holds a node, or its part of the head of a compound one."""
    while True:
        parent = parents.get(node)
        if parent is None or isinstance(parent, COMPOUND):
            return node
        node = parent
        if isinstance(node, cst.SimpleStatementLine):
            return node


def _function(node: cst.CSTNode, parents: Mapping[Any, Any]) -> str:
    names = []
    while (parent := parents.get(node)) is not None:
        if isinstance(parent, cst.FunctionDef | cst.ClassDef):
            names.append(parent.name.value)
        node = parent
    return ".".join(reversed(names))


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString)


def _is_strict(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value == "strict"


def _differs_in_strict_alone(node: cst.CSTNode, made: cst.CSTNode) -> bool:
    if not (isinstance(node, cst.Call) and isinstance(made, cst.Call)):
        return False
    before, after = ([arg for arg in call.args if not _is_strict(arg)] for call in (node, made))
    unlike = len(before) != len(after) or len(node.args) == len(before)
    return not unlike and all(map(_same, before, after))


def _same(one: cst.Arg, other: cst.Arg) -> bool:
    return one.value.deep_equals(other.value)
