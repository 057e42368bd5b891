"""Options in a file: ``--config FILE.toml`` on the command line, and such a file in the results."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softshare.tasks.printable import printable

CONFIG = "--config"
NAME = "config.toml"
"""The file in a folder of results."""

_NOT_OF_THE_DATA = (
    "methods train_fraction seeds metric class_weight task_weight search option preset time_limit "
    "steps hidden batch_size learning_rate weight_decay dropout base "
    "workers cluster out keep tls_ca_file tls_cert tls_key"
)
NOT_OF_THE_DATA = tuple(_NOT_OF_THE_DATA.split())
"""Options of a comparison that a look passes over."""

PASSED_OVER: Mapping[str, Sequence[str]] = {
    "look": NOT_OF_THE_DATA,
    "fit": ("methods", "train_fraction", "seeds", "search"),
}
"""Command → options in the file of a comparison that say nothing to it."""

SOURCE = "source"
REPEATED = "--na"
"""The option that comes once for every value, as these may begin like an option: ``-999``."""


def with_config(tokens: Sequence[str]) -> list[str]:
    """A command line with the options of the file that it names, unless it has them itself.

    Raises:
        ValueError: there is no such file, or it is no TOML.
    """
    path, rest = _path_among(list(tokens))
    if path is None:
        return rest
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{CONFIG}: cannot read {path} ({error.strerror})") from None
    except ValueError as error:
        raise ValueError(f"{CONFIG}: {path} is no TOML ({error})") from None
    source = content.pop(SOURCE, None)
    passed_over = PASSED_OVER.get(rest[0], ()) if rest else ()
    content = {name: value for name, value in content.items() if name not in passed_over}
    has_source = len(rest) > 1 and not rest[1].startswith("-")
    if source is not None and rest and not has_source:
        rest.insert(1, str(source))
    given = {token.split("=")[0] for token in rest if token.startswith("--")}
    for name, value in content.items():
        flag = f"--{name.replace('_', '-')}"
        if flag not in given:
            rest += _tokens(flag, value)
    return rest


def _path_among(tokens: list[str]) -> tuple[str | None, list[str]]:
    for place, token in enumerate(tokens):
        if token.startswith(f"{CONFIG}="):
            return token.partition("=")[2], tokens[:place] + tokens[place + 1 :]
        if token == CONFIG:
            if place + 1 == len(tokens):
                raise ValueError(f"{CONFIG} needs a file")
            return tokens[place + 1], tokens[:place] + tokens[place + 2 :]
    return None, tokens


def _tokens(flag: str, value: Any) -> list[str]:
    """An option as it stands on a command line."""
    if value is True:
        return [flag]
    if value is False:
        return []
    if isinstance(value, Mapping):
        return [flag, *(f"{name}={item}" for name, item in value.items())]
    if not isinstance(value, list):
        return [f"{flag}={value}"]
    if flag == REPEATED:
        return [f"{flag}={item}" for item in value]
    return [flag, *map(str, value)]


def _is_text(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_toml(options: Mapping[str, Any]) -> str:
    """Options as a file that :func:`with_config` reads; those that are not given are left out."""
    lines = []
    for name, value in options.items():
        is_empty = isinstance(value, str | list | tuple) and not value
        if value is None or value is False or is_empty:
            continue
        plain = list(value) if isinstance(value, tuple) else value
        told = plain if isinstance(plain, bool | int | float | str | list) else str(plain)
        # JSON's texts, numbers, booleans and lists of these are TOML's too
        line = f"{name} = {json.dumps(told, ensure_ascii=False)}"
        # Bytes of a path that are no text have no word in TOML.
        lines.append(line if _is_text(line) else f"# {printable(line)}")
    return "\n".join(lines) + "\n"
