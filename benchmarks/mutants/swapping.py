"""A fault put into a running program: the code of a function is exchanged where it stands."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType

from benchmarks.mutants.sites import Mutant


@dataclass(frozen=True)
class Exchange:
    """Functions and the code that a mutant gives them.

    Args:
        functions: the same one, once for each time that it was defined.
        code: their new one.
    """

    functions: tuple[FunctionType, ...]
    code: CodeType

    def make(self) -> None:
        """Let the functions run the new code from now on."""
        for function in self.functions:
            function.__code__ = self.code


class LoadedFunctions:
    """The functions of a package that a process has loaded.

    Args:
        root: of the repository.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_code: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
        for found in gc.get_objects():
            # Not `isinstance`, which asks strangers' objects for their class: some warn then.
            if type(found) is FunctionType:
                self._by_code[_key(found.__code__)].append(found)

    def exchange_of(self, mutant: Mutant) -> Exchange | None:
        """What puts a mutant in place; None where its code is the same, or is not loaded."""
        path = self._root / mutant.site.path
        before = list(_functions(compile(path.read_text(), str(path), "exec", dont_inherit=True)))
        after = list(_functions(compile(mutant.code, str(path), "exec", dont_inherit=True)))
        for old, new in zip(before, after, strict=True):
            if old != new:
                found = self._by_code.get(_key(old), [])
                fits = all(len(each.__code__.co_freevars) == len(new.co_freevars) for each in found)
                return Exchange(tuple(found), new) if found and fits else None
        return None


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _functions(code: CodeType) -> Iterator[CodeType]:
    """The code of functions and methods, not that of functions in functions."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            is_function = "__qualname__" not in constant.co_names
            if is_function:
                yield constant
            else:
                yield from _functions(constant)
