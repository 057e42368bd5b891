"""What to say of a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def near(
    name: str,
    known: Iterable[str],
    *,
    most: int = 20,
) -> str:
    """The known names most like a wrong one, or else what is known, as the end of a message."""
    names = list(known)
    lower = {candidate.lower(): candidate for candidate in names}
    close = [
        lower[match]
        for match in get_close_matches(
            name.lower(),
            lower,
            n=3,
            cutoff=0.6,
        )
    ]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    return (
        "there are "
        f"{', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}"
    )
