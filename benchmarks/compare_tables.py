"""``softshare compare`` on two tables of the sizes that practitioners bring: time and peak memory
of all processes.

    python -m benchmarks.compare_tables [FOLDER]

Makes ``mines.csv`` (29 binary tasks, 14,820 rows, 9 features, 4 to 8 % positives) and
``schools.csv`` (139 regression tasks of 22 to 251 rows, 15,362 in all, 28 features), the sizes of
two classic multi-task data sets, and runs all default methods over 3 seeds on each. About 15
minutes on two cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

N_SCHOOLS, N_PUPILS = 139, 15_362


def make_mines(path: Path, *, n_tasks: int = 29, n_rows: int = 14_820, n_features: int = 9) -> None:
    """Two groups of related fields; a row is a mine with a chance of 4 to 8 %."""
    generator = np.random.default_rng(0)
    groups = generator.normal(size=(2, n_features))
    field = np.sort(generator.integers(n_tasks, size=n_rows))
    weights = groups[np.arange(n_tasks) % 2] + 0.4 * generator.normal(size=(n_tasks, n_features))
    inputs = generator.normal(size=(n_rows, n_features))
    score = (inputs * weights[field]).sum(1) + generator.normal(size=n_rows)
    share = generator.uniform(0.04, 0.08, size=n_tasks)
    mine = [
        score[row] > np.quantile(score[field == field[row]], 1 - share[field[row]])
        for row in range(n_rows)
    ]
    frame = pd.DataFrame(inputs, columns=[f"x{n}" for n in range(n_features)])
    frame.assign(field=[f"field {n}" for n in field], mine=np.array(mine).astype(int)).to_csv(
        path, index=False
    )


def make_schools(path: Path, *, n_features: int = 28) -> None:
    """Schools that differ a little in what makes a score, with whole-number scores up to 70."""
    generator = np.random.default_rng(1)
    sizes = np.exp(generator.normal(4.6, 0.5, size=N_SCHOOLS)).clip(22, 251).astype(int)
    sizes[:2] = 22, 251
    while (missing := N_PUPILS - sizes.sum()) != 0:
        sizes[2 + generator.integers(N_SCHOOLS - 2)] += np.sign(missing)
        sizes = sizes.clip(22, 251)
    school = np.repeat(np.arange(N_SCHOOLS), sizes)
    inputs = (generator.random((N_PUPILS, n_features)) < 0.3).astype(int)
    weights = generator.normal(size=n_features) + 0.3 * generator.normal(
        size=(N_SCHOOLS, n_features)
    )
    score = 25 + 4 * (inputs * weights[school]).sum(1) + 8 * generator.normal(size=N_PUPILS)
    frame = pd.DataFrame(inputs, columns=[f"x{n}" for n in range(n_features)])
    frame.assign(
        school=[f"school {n}" for n in school], score=score.round().clip(1, 70).astype(int)
    ).to_csv(path, index=False)


def run(command: list[str]) -> tuple[float, float]:
    """Wall seconds, and the peak of the resident memory of all its processes in GiB (shared pages
    counted in each).
    """
    begin, peak = time.perf_counter(), 0
    process = subprocess.Popen(command)
    finished = threading.Event()
    threading.Thread(target=lambda: (process.wait(), finished.set()), daemon=True).start()
    while not finished.wait(0.5):
        try:
            family = [
                psutil.Process(process.pid),
                *psutil.Process(process.pid).children(recursive=True),
            ]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.NoSuchProcess:
            continue
    if process.returncode:
        raise SystemExit(process.returncode)
    return time.perf_counter() - begin, peak / 2**30


def main(folder: Path) -> None:
    """Make both tables and compare on each."""
    made = {"mines": (make_mines, "field", "mine"), "schools": (make_schools, "school", "score")}
    for name, (make, task, target) in made.items():
        table = folder / f"{name}.csv"
        make(table)
        options = ["--task", task, "--target", target, "--seeds", "3", "--out", str(folder / name)]
        seconds, memory = run(
            [str(Path(sys.executable).with_name("softshare")), "compare", str(table), *options]
        )
        print(f"{name}: {seconds:.0f} s, peak {memory:.2f} GiB over all processes", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch))
