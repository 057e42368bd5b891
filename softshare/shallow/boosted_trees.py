"""LightGBM's trees where it is installed, else scikit-learn's: grown, judged and asked alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from softshare.shallow.grown_boosted import of_histograms, of_lightgbm
from softshare.shallow.optional_package import optional_package
from softshare.shallow.rows import Array, Codes, Kind, Rows, weighted_losses
from softshare.shallow.tree_arrays import TreeArrays

# None where the extra `boosted` is not installed, or does not work.
lightgbm: Any = optional_package("lightgbm")

# scikit-learn's trees hold a category in one byte, one value of which is for missing.
MOST_CATEGORIES = 255
MOST_ROUNDS = 1000
PATIENCE = 40
# No class is impossible: what stands beside a chance, and for one that no training row is of.
UNLIKELY = 1e-12
UNSEEN = np.log(UNLIKELY)
STAGES = 300  # of scikit-learn's trees, which do not stop at held-out rows of our choice


@dataclass(frozen=True)
class Settings:
    """The size of the trees."""

    leaves: int
    rows_in_leaf: int
    learning_rate: float = 0.05


@dataclass(frozen=True)
class Trees:
    """What either library has grown, as it is asked while settings are chosen.

    Args:
        model: LightGBM's booster or scikit-learn's estimator.
        kind: what the targets are.
        n_classes: C of ``multiclass``, those that no row was of included.
    """

    model: Any
    kind: Kind
    n_classes: int

    def outputs(self, inputs: Array, codes: Codes, rounds: int | None = None) -> Array:
        """What the trees add up to, all of them or those of the first rounds.

        Shape:
            (N, p), (N,) to (N,), of ``multiclass`` (N, C); −1 is a task that was never seen.
        """
        design = with_category(inputs, codes)
        if lightgbm is not None and isinstance(self.model, lightgbm.Booster):
            scores = self.model.predict(design, raw_score=True, num_iteration=rounds)
            return np.asarray(scores)
        stages = self.stages(design)
        wanted = self.model.n_iter_ if rounds is None else rounds
        return next(islice(stages, wanted - 1, None))

    def stages(self, design: Array) -> Iterator[Array]:
        """What scikit-learn's trees say after every round."""
        if self.kind == "regression":
            yield from self.model.staged_predict(design)
            return
        seen = self.model.classes_.astype(int)
        for chances in self.model.staged_predict_proba(design):
            logs = np.full(
                (len(design), self.n_classes if self.kind == "multiclass" else 2), UNSEEN
            )
            logs[:, seen] = np.log(chances + UNLIKELY)
            yield logs if self.kind == "multiclass" else logs[:, 1] - logs[:, 0]


@dataclass(frozen=True, eq=False)
class KeptTrees:
    """Trees that need no library any more.

    Args:
        arrays: the trees.
        seen: The classes whose scores they add up to, of all C; None where their sums are the
            outputs. Shape (C,).
    """

    arrays: TreeArrays
    seen: NDArray[np.bool_] | None

    def outputs(self, inputs: Array, codes: Codes) -> Array:
        """What the trees add up to; arguments and shapes as of :meth:`Trees.outputs`."""
        sums = self.arrays.outputs(with_category(inputs, codes))
        outputs = sums if self.seen is None else log_chances(sums, self.seen)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def log_chances(scores: Array, seen: NDArray[np.bool_]) -> Array:
    """Logits of classes of which no row of some was seen; the log-odds of two.

    Shape:
        (N, C) and (C,) to (N, C), to (N, 1) where C is 2.
    """
    logs = np.full(scores.shape, UNSEEN)
    logs[:, seen] = np.log(softmax(scores[:, seen], axis=1) + UNLIKELY)
    return logs[:, 1:] - logs[:, :1] if len(seen) == 2 else logs


@dataclass(frozen=True)
class Part:
    """One fold: what trains, what is held out, and the outputs that both start from."""

    train: Rows
    held: Rows
    train_offsets: Array | None
    held_offsets: Array | None


@dataclass(frozen=True)
class Grown:
    """Trees of one fold's other rows.

    Args:
        trees: all that were grown.
        losses: the sum of the held-out rows' losses after every round, shape (rounds,).
    """

    trees: Trees
    losses: Array

    def outputs(self, part: Part, rounds: int) -> Array:
        """Of the fold's rows after so many rounds, or all that there are."""
        rounds = min(rounds, len(self.losses))
        outputs = self.trees.outputs(part.held.inputs, part.held.tasks, rounds)
        return outputs if part.held_offsets is None else outputs + part.held_offsets


def grown(part: Part, settings: Settings) -> Grown:
    """Trees that grow until the held-out rows' loss has not fallen for a while."""
    if lightgbm is None:
        trees = histogram_trees(part.train, settings, STAGES)
        design = with_category(part.held.inputs, part.held.tasks)
        losses = []
        for outputs in trees.stages(design):
            losses.append(weighted_losses(outputs, part.held).sum())
        return Grown(trees, np.array(losses))
    train = _dataset(part.train, part.train_offsets)
    held = _dataset(part.held, part.held_offsets, reference=train)
    record: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        _parameters(part.train, settings),
        train,
        MOST_ROUNDS,
        valid_sets=[held],
        valid_names=["held"],
        keep_training_booster=True,
        callbacks=[
            lightgbm.early_stopping(PATIENCE, verbose=False),
            lightgbm.record_evaluation(record),
        ],
    )
    (means,) = record["held"].values()
    losses = np.array(means) * part.held.row_weights.sum()
    return Grown(Trees(booster, part.train.kind, part.train.n_classes), losses)


def padded(curves: Sequence[Array]) -> Array:
    """Curves as long as the longest. Shape (folds, rounds).

    A fold that stopped early got worse: its last loss stands for what would have followed.
    """
    longest = max(len(curve) for curve in curves)
    rows = []
    for curve in curves:
        missing = longest - len(curve)
        rows.append(np.pad(curve, (0, missing), mode="edge"))
    return np.stack(rows)


def all_trees(
    rows: Rows,
    offsets: Array | None,
    settings: Settings,
    rounds: int,
) -> KeptTrees:
    """The trees of all rows."""
    if lightgbm is None:
        return _kept(histogram_trees(rows, settings, rounds).model, rows)
    booster = lightgbm.train(_parameters(rows, settings), _dataset(rows, offsets), rounds)
    return KeptTrees(of_lightgbm(booster, rows.n_classes), None)


def _kept(model: Any, rows: Rows) -> KeptTrees:
    """scikit-learn's trees as arrays."""
    if rows.kind == "regression":
        return KeptTrees(of_histograms(model, rows.tasks, np.zeros(1, dtype=np.int64), 1), None)
    seen = np.zeros(2 if rows.kind == "binary" else rows.n_classes, dtype=bool)
    seen[model.classes_.astype(int)] = True
    columns = np.flatnonzero(seen)
    # Of two classes the first one's score is 0.
    columns = columns[1:] if len(columns) == 2 else columns
    return KeptTrees(of_histograms(model, rows.tasks, columns, len(seen)), seen)


def histogram_trees(rows: Rows, settings: Settings, rounds: int) -> Trees:
    """scikit-learn's trees of the same size."""
    regression = rows.kind == "regression"
    make = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    trees = make(
        max_iter=rounds,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.rows_in_leaf,
        learning_rate=settings.learning_rate,
        categorical_features=[rows.inputs.shape[1]],
        early_stopping=False,
        random_state=0,
    )
    trees.fit(with_category(rows.inputs, rows.tasks), rows.targets, sample_weight=rows.weights)
    return Trees(trees, rows.kind, rows.n_classes)


def with_category(inputs: Array, codes: Codes) -> Array:
    """Inputs and the task's number last, missing for a task never seen. Shape (N, p + 1)."""
    return np.column_stack([inputs, np.where(codes < 0, np.nan, codes)])


def _parameters(rows: Rows, settings: Settings) -> dict[str, Any]:
    """LightGBM's names for the settings."""
    parameters = {
        "objective": rows.kind,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.rows_in_leaf,
        "learning_rate": settings.learning_rate,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,  # else it times both ways and takes the faster one
        "seed": 0,
        "verbosity": -1,
    }
    return parameters | ({"num_class": rows.n_classes} if rows.kind == "multiclass" else {})


def _dataset(rows: Rows, offsets: Array | None, reference: Any = None) -> Any:
    """Rows as LightGBM takes them; scores of classes lie one class after the other."""
    return lightgbm.Dataset(
        with_category(rows.inputs, rows.tasks),
        rows.targets,
        weight=rows.weights,
        init_score=None if offsets is None else offsets.ravel(order="F"),
        categorical_feature=[rows.inputs.shape[1]],
        reference=reference,
        params={"verbosity": -1, "min_data_in_bin": 1},
    )
