"""What the command line calls the arguments of Python functions."""

from __future__ import annotations

from collections.abc import Mapping

OTHER_NAMES: Mapping[str, str] = {
    "fraction": "train-fraction",
    "fractions": "train-fraction",
    "train_fraction": "train-fraction",
    "trials": "search",
    "options": "option",
    "size": "image-size",
    "kinds": "kind",
    "n_tasks": "tasks",
    "weights": "weight",
}
"""Python arguments whose options are called otherwise."""

SAME_NAMES = (
    "base",
    "batch_size",
    "class_weight",
    "cases",
    "cluster",
    "columns",
    "decimal",
    "drop",
    "dropout",
    "encoding",
    "drop_small_tasks",
    "group",
    "hidden",
    "image_size",
    "keep",
    "learning_rate",
    "level",
    "method",
    "methods",
    "metric",
    "na",
    "out",
    "positive",
    "preset",
    "repeats",
    "search",
    "seed",
    "seeds",
    "sep",
    "sheet",
    "skip_broken",
    "split",
    "steps",
    "target",
    "task",
    "task_weight",
    "time_limit",
    "tls_ca_file",
    "tls_cert",
    "tls_key",
    "weight",
    "weight_decay",
    "workers",
)

FLAGS: Mapping[str, str] = {
    **{name: f"--{name.replace('_', '-')}" for name in SAME_NAMES},
    **{name: f"--{option}" for name, option in OTHER_NAMES.items()},
}
"""Python argument → its flag. ``tasks`` is a task set in Python, and has none."""
