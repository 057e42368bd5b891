"""Options of methods that the user gives: read from the command line, and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from math import isfinite

from softshare.methods.method import CROSS_VALIDATED, Method
from softshare.methods.named import METHODS
from softshare.tasks.arguments import Problem

Value = int | float | str
GivenOptions = Mapping[str, Mapping[str, Value]]
"""Method → its option → the value given."""


def read_options(texts: Sequence[str]) -> tuple[dict[str, dict[str, Value]], list[Problem]]:
    """The options that texts such as ``tensor-ring.shared=cv`` give, and what is wrong with the
    texts.
    """
    options: dict[str, dict[str, Value]] = {}
    wrong = []
    for text in texts:
        name, is_given, value = text.partition("=")
        method, _, option = name.partition(".")
        if method and option and is_given:
            options.setdefault(method, {})[option] = _value(value)
        else:
            expected = "expected METHOD.NAME=VALUE, such as tensor-ring.shared=cv"
            wrong.append(("options", f"{expected}, got {text!r}"))
    return options, wrong


def options_of_auto(
    options: GivenOptions | None,
    *,
    preset: str | None,
    time_limit: float | None,
) -> GivenOptions:
    """Given options with those of ``auto`` that have arguments of their own."""
    arguments: dict[str, Value | None] = {"preset": preset, "time_limit": time_limit}
    given = {name: value for name, value in arguments.items() if value is not None}
    if not given:
        return options or {}
    return {**(options or {}), "auto": {**(options or {}).get("auto", {}), **given}}


def wrong_options(options: GivenOptions, compared: Sequence[Method]) -> list[Problem]:
    """What is wrong with given options.

    Args:
        options: what is given.
        compared: the methods that are compared, those of a user's own among them.
    """
    chosen = {method.name: method for method in compared}
    known = {method.name: method for method in METHODS} | chosen
    phrases = []
    for name, values in options.items():
        if name not in known:
            phrases.append(unknown("method", name, list(known)))
        elif name not in chosen:
            phrases.append(f"{name} is not among the methods that are compared, name it in methods")
        else:
            misfits = [_misfit(known[name], option, value) for option, value in values.items()]
            phrases += filter(None, misfits)
    return [("options", phrase) for phrase in phrases]


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """That there is no such name, and which was meant: no method 'tuckr', did you mean tucker?"""
    near = get_close_matches(name, known, n=2)
    return f"no {what} {name!r}, " + (
        f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(known)}"
    )


def _misfit(method: Method, option: str, value: Value) -> str | None:
    """Why an option cannot have this value, whatever the data."""
    if not method.options:
        return f"{method.name} has no options, got {option!r}"
    if option not in method.options:
        return f"{method.name}: {unknown('option', option, list(method.options))}"
    default = method.options[option]
    whole = type(value) is int
    number = not isinstance(value, str | bool) and isfinite(value)
    of_choices = any(type(choice) is float for choice in method.search_space.get(option, ()))
    if isinstance(default, str) and default != CROSS_VALIDATED and of_choices:
        fits, wanted = number or isinstance(value, str), "a number or text"
    elif option in method.cross_validated:
        fits, wanted = (
            whole or value == CROSS_VALIDATED or str(value).isdigit(),
            f"a whole number or {CROSS_VALIDATED!r}",
        )
    elif isinstance(default, str):
        fits, wanted = isinstance(value, str), "text"
    else:
        fits, wanted = (whole, "a whole number") if type(default) is int else (number, "a number")
    if not fits:
        return f"{method.name}.{option} must be {wanted}, such as {default!r}, got {value!r}"
    misfit = method.misfit(option, value)
    return misfit and f"{method.name}.{option} must be {misfit}, got {value!r}"


def _value(text: str) -> Value:
    """A number where the text is one; digits that a number would lose, as in ``02``, stay text."""
    with suppress(ValueError):
        return int(text) if str(int(text)) == text else text
    with suppress(ValueError):
        return float(text)
    return text
