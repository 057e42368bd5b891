"""What a model's folder says of the model, without its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def inspected(content: Mapping[str, Any]) -> dict[str, Any]:
    """What people ask of a model: its method, its tasks, what they share, how well it does.

    Args:
        content: of the folder (:func:`softshare.models.folder.read_json`).
    """
    facts = content["facts"]
    form = content["form"]
    return {
        "method": content["method"],
        "source": content["settings"]["source"],
        "table": form["table"],
        "tasks": facts["tasks"],
        "added": [_told(task) for task in content["added"]],
        "parameters": facts["parameters"],
        "decided": facts["decided"],
        "layers": facts["sharing"]["layers"],
        "similarity": facts["sharing"]["similarity"],
        "task_correlation": facts["sharing"].get("task_correlation"),
        "judged_on": facts["judged_on"],
        "measures": facts["measures"],
        "notes": form["notes"],
        "versions": facts["versions"],
        "seconds": facts.get("seconds"),
    }


def _told(added: Mapping[str, Any]) -> dict[str, Any]:
    """A task that came later."""
    name = added["of"]["name"]
    parts = name["tuple"] if isinstance(name, Mapping) else [name]
    return {"task": " / ".join(parts), "rows": added["of"]["rows"]}
