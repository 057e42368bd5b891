"""Makes the models that every later version must load, with what they predict.

``python -m tests.models.keep_format`` writes them for the format that this version writes, which a
release does once; those of older formats stay as they are for ever.
"""

from __future__ import annotations

from pathlib import Path

from softshare.models.folder import FORMAT
from tests.models.made_tables import model_of, schools

FORMATS = Path(__file__).parent / "formats"
TABLE, PREDICTIONS = "new.csv", "predictions.csv"

KEPT = {
    "pooled-ridge": "score",
    "mixed-model": "grade",
    "forest": "passed",
    "shared-plus-own": "passed",
    "tensor-train": "score",
    "auto": "score",
}
"""Method → the target that its model predicts."""


def main() -> None:
    """Write all of them."""
    folder = FORMATS / f"format-{FORMAT}"
    folder.mkdir(parents=True)
    new = schools(seed=1, rows=4)
    new.loc[3, "school"] = "school that is new"
    new.to_csv(folder / TABLE, index=False)
    for method, target in KEPT.items():
        preset = "quick" if method == "auto" else None
        model = model_of(method, target, preset=preset)
        model.save(folder / method)
        model.predict(new).to_csv(folder / method / PREDICTIONS, index=False)


if __name__ == "__main__":
    main()
