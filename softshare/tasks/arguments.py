"""Arguments that cannot be right: which, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from softshare.tasks.printable import printable

Problem = tuple[str, str]
"""An argument's name, and what is wrong with it and what would be right."""


class ArgumentError(ValueError):
    """One or several arguments that cannot be right, all named at once.

    The message calls them by their names in Python; a command line, which has other names for some,
    has it :meth:`told` in its own.

    Args:
        problems: each is told once.
        about: what they are wrong for, such as the name of a file.
    """

    def __init__(self, *problems: Problem, about: str = "") -> None:
        self.problems = tuple(dict.fromkeys(problems))
        self.about = about
        super().__init__(self.told({}))

    def __reduce__(self) -> tuple[Callable[..., ArgumentError], tuple[tuple[Problem, ...], str]]:
        return _again, (self.problems, self.about)  # exceptions come back from other processes

    def told(self, names: Mapping[str, str]) -> str:
        """The message with other names for the arguments that have some."""
        phrases = [f"{names.get(name, name)}: {problem}" for name, problem in self.problems]
        return printable((f"{self.about}: " if self.about else "") + "; ".join(phrases))


def _again(problems: tuple[Problem, ...], about: str) -> ArgumentError:
    return ArgumentError(*problems, about=about)
