"""JSON texts with a digest inside, by which what was changed since is noticed.

The digest is of the content, not of its bytes: a file that was laid out anew is still whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NoReturn

DIGEST = "digest"


def seal(content: Mapping[str, Any]) -> str:
    """The content as JSON, with its digest.

    Raises:
        ValueError: a number is not finite, which JSON has no word for.
    """
    sealed = {**content, DIGEST: _digest(content)}
    return json.dumps(sealed, allow_nan=False, separators=(",", ":"))


def unseal(text: bytes) -> dict[str, Any]:
    """The content that :func:`seal` was given.

    Raises:
        ValueError: it is no JSON, has no digest, or was changed; the message says which.
    """
    try:
        content = json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):  # JSON can be nested deeper than Python calls
        raise ValueError("it is no JSON") from None
    if not isinstance(content, dict) or not isinstance(content.get(DIGEST), str):
        raise ValueError("it has no digest, as files of earlier versions have none")
    told = content.pop(DIGEST)
    try:
        found: str | None = _digest(content)
    except (ValueError, RecursionError):  # a number too large to be one
        found = None
    if told != found:
        raise ValueError("its content does not fit its digest")
    return content


def _digest(content: Mapping[str, Any]) -> str:
    plain = json.dumps(content, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(plain.encode(), digest_size=16).hexdigest()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
