"""Every method's model as a graph: whether onnxruntime and PyTorch say of it what the model says.

``python -m benchmarks.exported`` learns each of ``softshare methods`` on a made table with numbers,
gaps, a date, categories and very many categories, for a target that is a number, for one of two
classes and for one of three. It writes all tasks' and one task's graph, and runs both on new rows:
in onnxruntime, and as ``torch.export`` loads them. It prints the largest difference to ``predict``,
in units of the target's standard deviation or of probabilities, or the line that refuses the method
or its graph, and fails where a difference is over 1e-5 (40 minutes on a CPU core: a third of a
minute a model). ``--methods NAME …`` and ``--target NAME …`` take some.

``python -m benchmarks.exported --tasks 100000`` writes the networks of so many tasks, with factors
of a tensor train, as one ONNX file, and prints its size over that of the numbers (1 minute).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import pandas as pd
import torch

from softshare.data.table import read_table
from softshare.methods.named import METHODS, method_named
from softshare.methods.settings import checked_settings
from softshare.methods.training import LearnedNetwork
from softshare.models.export.inputs import graph_inputs
from softshare.models.export.refusal import NotExportableError
from softshare.models.form import form_of
from softshare.models.learning import learn
from softshare.models.model import Model
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tensor_train import TensorTrain
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split

LARGEST = 1e-5
MOST_SIZE = 1.1
TARGETS = ("score", "passed", "grade")


def table(seed: int, *, n_tasks: int = 6, n_rows: int = 40) -> pd.DataFrame:
    """Rows of every kind of column, and three targets."""
    random = np.random.default_rng(seed)
    n_all = n_tasks * n_rows
    school = np.repeat(np.arange(n_tasks), n_rows)
    age = random.normal(12, 2, n_all).round(1)
    distance = random.lognormal(size=n_all)
    days = random.integers(0, 900, n_all)
    home = random.choice(["town", "village", "farm"], n_all)
    street = random.integers(0, 80, n_all)
    effects = np.random.default_rng(0).normal(size=80)
    score = 50 + 3 * age * (home == "town") + 4 * (school % 3) + 5 * effects[street]
    score += 5 * np.sin(days / 58) + random.normal(size=n_all)
    frame = pd.DataFrame({"school": [f"school {number}" for number in school], "age": age})
    frame["distance"] = distance
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    frame["home"] = home
    frame["street"] = [f"street {number}" for number in street]
    frame["score"] = score
    frame["passed"] = np.where(score > 70, "yes", "no")
    frame["grade"] = np.array(["low", "middle", "high"])[np.digitize(score, (62, 75))]
    frame.loc[::9, "age"] = np.nan
    frame.loc[::11, "home"] = None
    return frame


def learned(method: str, target: str) -> Model:
    """A model of the table."""
    others = [name for name in TARGETS if name != target]
    tasks = read_table(table(0), task="school", target=target, drop=others)
    return learn(tasks, method=method, steps=100, hidden=(16, 16))


def wanted(model: Model, rows: pd.DataFrame) -> np.ndarray:
    """What the model says: probabilities, or numbers in standard deviations."""
    told = model.predict(rows)
    probabilities = told.filter(like="P(")
    if len(probabilities.columns):
        return probabilities.to_numpy()
    return told.iloc[:, 0].to_numpy()


def run_onnx(path: Path, given: Mapping[str, np.ndarray]) -> np.ndarray:
    """What onnxruntime says of rows."""
    session = onnxruntime.InferenceSession(str(path))
    (outputs,) = session.run(None, dict(given))
    return np.asarray(outputs)


def run_torch(path: Path, given: Mapping[str, np.ndarray]) -> np.ndarray:
    """What PyTorch says of rows."""
    module = torch.export.load(path).module()
    tensors = {name: torch.from_numpy(values) for name, values in given.items()}
    with torch.no_grad():
        outputs: torch.Tensor = module(**tensors)
    return outputs.numpy()


def differences(model: Model, folder: Path) -> dict[str, float]:
    """Form of a graph → by how much it differs from the model."""
    rows = table(1)
    # Categories that are new, and one row more than any batch has had.
    rows.loc[5, ["home", "street"]] = "somewhere else"
    expected = wanted(model, rows)
    unit = 1.0 if expected.ndim == 2 else float(expected.std())
    one = str(model.tasks[2])
    found = {}
    for task in (None, one):
        mine = np.ones(len(rows), dtype=bool) if task is None else (rows["school"] == one)
        some = rows[mine]
        given = graph_inputs(model, some, list(some["school"]), task=task)
        for ending, run in ((".onnx", run_onnx), (".pt2", run_torch)):
            path = folder / f"model{ending}"
            model.export(path, task=task)
            said = run(path, given)
            difference = np.abs(said - expected[mine]).max() / unit
            found[f"{'all' if task is None else 'one'} {ending[1:]}"] = float(difference)
    return found


def show_methods(methods: Sequence[str], targets: Sequence[str]) -> bool:
    """Print a line for each method and target, and what came of all; whether all agree."""
    largest: dict[str, float] = {}
    refused: list[str] = []
    for target in targets:
        for name in methods:
            begin = time.perf_counter()
            model = f"{name}, {target}"
            try:
                with TemporaryDirectory() as folder:
                    found = differences(learned(name, target), Path(folder))
            except (ArgumentError, NotExportableError) as error:
                refused.append(model)
                told = f"refused: {error}"
            else:
                largest[model] = max(found.values())
                told = "  ".join(f"{form} {value:.1e}" for form, value in found.items())
            seconds = time.perf_counter() - begin
            print(f"{target:<8}{name:<28}{told}  {seconds:.0f} s", flush=True)
    apart = [model for model, difference in largest.items() if not difference <= LARGEST]
    most = max(largest.values(), default=0.0)
    print(f"{len(largest)} models in graphs, the largest difference {most:.1e}")
    print(f"over {LARGEST}: {'; '.join(apart) or 'none'}")
    print(f"refused: {'; '.join(refused) or 'none'}")
    return not apart


def many_tasks(n_tasks: int) -> Model:
    """A network of so many tasks with the factors of a tensor train, as they are drawn."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(n_tasks, 10)), columns=list("abcdefghij"))
    frame["shop"] = [f"shop {number}" for number in range(n_tasks)]
    frame["sold"] = frame["a"] + random.normal(size=n_tasks)
    tasks = read_table(frame, task="shop", target="sold")
    nobody = np.array([], dtype=np.int64)
    train, _, _ = prepare(tasks, Split(np.arange(n_tasks), nobody, nobody))
    method = method_named("tensor-train")
    network = MultiTaskNetwork(
        partial(mlp, hidden=(32, 32)),
        train,
        sharing={"layers.*": TensorTrain(ranks=(8, 4))},
    )
    run = {"source": "made", "method": method.name, "fraction": 1.0, "seed": 0}
    settings = checked_settings(run)
    return Model(LearnedNetwork(network, settings), method, settings, form_of(train), {})


def size_of_many_tasks(n_tasks: int, folder: Path) -> tuple[int, int, float]:
    """The bytes of a graph of so many tasks, those of its numbers, and the largest difference
    between what onnxruntime and the model say of rows.
    """
    model = many_tasks(n_tasks)
    network = model.learned.network
    numbers = sum(value.numel() * value.element_size() for value in network.parameters())
    path = model.export(folder / "shops.onnx")
    size = sum(file.stat().st_size for file in folder.iterdir())
    random = np.random.default_rng(1)
    rows = pd.DataFrame(random.normal(size=(1000, 10)), columns=list("abcdefghij"))
    names = [f"shop {number}" for number in random.integers(0, n_tasks, 1000)]
    given = graph_inputs(model, rows, names)
    said = run_onnx(path, given)
    told = model.predict(rows, names).iloc[:, 0].to_numpy()
    return size, numbers, float(np.abs(said - told).max())


def show_many_tasks(n_tasks: int) -> bool:
    """Print the size of a graph of very many tasks; whether it is within 1.1 of its numbers."""
    begin = time.perf_counter()
    with TemporaryDirectory() as folder:
        size, numbers, difference = size_of_many_tasks(n_tasks, Path(folder))
    print(f"{n_tasks:,} tasks: {size / 1e6:.1f} MB in the file, {numbers / 1e6:.1f} MB of numbers")
    print(f"ratio {size / numbers:.3f}, largest difference {difference:.1e}")
    print(f"{time.perf_counter() - begin:.0f} s")
    return size <= MOST_SIZE * numbers and difference <= LARGEST


def main() -> None:
    """Leaves with 1 where a graph and its model disagree, or a file is too large."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [method.name for method in METHODS]
    parser.add_argument("--methods", nargs="+", choices=names, default=names)
    parser.add_argument("--target", nargs="+", choices=TARGETS, default=TARGETS)
    parser.add_argument("--tasks", type=int, default=0)
    asked = parser.parse_args()
    if asked.tasks:
        sys.exit(not show_many_tasks(asked.tasks))
    sys.exit(not show_methods(asked.methods, asked.target))


if __name__ == "__main__":
    main()
