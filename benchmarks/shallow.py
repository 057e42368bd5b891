"""``python -m benchmarks.shallow``: seconds that every convex linear multi-task method takes.

139 tasks of unequal sizes, 28 features of which half are rare indicators, 15,000 and 30,000 rows.
Times are what the processor spent, all threads together, so that a neighbour's turns do not count.
Half a minute on one core. Every convex method must take less than 10 seconds for 15,000 rows, and
time must grow no faster than the rows but by the number of steps, which the data decide.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import numpy as np

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear

N_TASKS, N_FEATURES, ROWS = 139, 28, (15_000, 30_000)

METHODS: dict[str, Callable[[str], LinearTasks]] = {
    "EvgeniouPontil": lambda loss: EvgeniouPontil(20.0, 1.0, loss=loss),
    "L21": lambda loss: L21(30.0, loss=loss),
    "MTFL": lambda loss: MTFL(0.3, loss=loss),
    "MTRL": lambda loss: MTRL(1.0, 0.3, loss=loss),
    "RMTL": lambda loss: RMTL(30.0, 20.0, loss=loss),
    "TraceNormLinear": lambda loss: TraceNormLinear(30.0, loss=loss),
}


def rows(n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, numbers, classes and tasks of models that differ along three directions."""
    random = np.random.default_rng(0)
    sizes = random.dirichlet(np.full(N_TASKS, 2.0))
    task = random.choice(N_TASKS, n_rows, p=sizes)
    half = N_FEATURES // 2
    indicators = random.random((n_rows, half)) < np.linspace(0.02, 0.5, half)
    X = np.hstack([random.normal(size=(n_rows, half)), indicators])
    own = random.normal(size=(N_TASKS, 3)) @ random.normal(size=(3, N_FEATURES))
    coef = 0.3 * own + random.normal(size=N_FEATURES)
    outputs = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=N_TASKS)[task]
    numbers = outputs + 3 * random.normal(size=n_rows)
    classes = (outputs + 2 * random.logistic(size=n_rows) > 0).astype(int)
    return X, numbers, classes, task


def seconds(model: LinearTasks, X: np.ndarray, y: np.ndarray, task: np.ndarray) -> float:
    """What one fit takes."""
    start = process_time()
    model.fit(X, y, tasks=task)
    return process_time() - start


def main() -> None:
    """Print a line for every method and loss."""
    data = {n_rows: rows(n_rows) for n_rows in ROWS}
    print("seconds at", *(f"{n_rows:>8,}" for n_rows in ROWS), "  steps  optimality")
    for name, make in METHODS.items():
        for loss in ("squared", "logistic"):
            model = make(loss)
            taken = []
            for X, numbers, classes, task in data.values():
                y = numbers if loss == "squared" else classes
                taken.append(seconds(model, X, y, task))
            times = "  ".join(f"{value:7.2f}" for value in taken)
            print(f"{times}  {model.n_iter_:6d}   {model.optimality_:.0e}  {name}, {loss}")


if __name__ == "__main__":
    main()
