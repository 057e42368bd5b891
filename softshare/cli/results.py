"""Where the results of a comparison go that were not given a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

RESULTS = Path("softshare-results")

_ODD = r"[^\w.+-]+"
"""What is kept out of a folder's name: slashes, spaces, and what a shell has a use for."""

MOST_CHARACTERS = 80
"""Of the name of a folder: file systems take three times as many bytes."""


def default_folder(source: str, targets: Sequence[str]) -> Path:
    """The folder for a source and its targets: those of other targets have another.

    Args:
        source: a file, a folder or the name of a data set.
        targets: the columns to predict; none where the source has no choice.
    """
    stem = Path(source).name.split(".")[0]
    parts = [part for part in (stem, "+".join(targets)) if part]
    plain = re.sub(_ODD, "_", "-".join(parts))
    is_whole = not any(re.search(_ODD, name) or "+" in name for name in (stem, *targets))
    if is_whole and len(plain) <= MOST_CHARACTERS:
        return RESULTS / plain
    # what was left out still tells one name from another
    named = repr((stem, *targets)).encode(errors="surrogatepass")
    digest = blake2b(named, digest_size=4).hexdigest()
    return RESULTS / f"{plain[: MOST_CHARACTERS - len(digest) - 1]}-{digest}"
