"""What commands tell programs: JSON on the standard output."""

from __future__ import annotations

import json
from typing import Any


def tell_json(content: Any) -> None:
    """Write plain values as JSON, for programs to read."""
    print(json.dumps(content, indent=2))
