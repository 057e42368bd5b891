"""A folder of many small JPEGs as training reads it: images a second, memory, and where images are
decoded.

Run ``python -m benchmarks.image_folder`` (a minute for 20,000 images, five for ``--images 200000``,
on two cores).

The first epoch decodes, in processes of their own; later epochs read bytes from the cache folder.
Memory is the most that this process and the decoding ones had resident at once, pages of the mapped
file included.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import threading
import time
from itertools import islice
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image

from softshare.data.image_folder import image_folder
from softshare.tasks.batches import Batches
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split

SIZE, TASKS, CLASSES, DISTINCT = 32, 20, 10, 500


def make(root: Path, n_images: int) -> None:
    """A folder of 20 tasks of ten classes; 500 different images, each many times."""
    random = np.random.default_rng(0)
    contents = []
    for _ in range(DISTINCT):
        file = io.BytesIO()
        coarse = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIZE, SIZE), Image.Resampling.BICUBIC).save(
            file, format="JPEG", quality=85
        )
        contents.append(file.getvalue())
    for number in range(n_images):
        folder = root / f"task {number % TASKS}" / f"class {number // TASKS % CLASSES}"
        if number < TASKS * CLASSES:
            folder.mkdir(parents=True)
        (folder / f"{number}.jpg").write_bytes(contents[number % DISTINCT])


class Memory(threading.Thread):
    """Watches the resident memory of this process and its children."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self._done = 0, threading.Event()

    def run(self) -> None:
        """Look every tenth of a second."""
        while not self._done.wait(0.1):
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            self.peak = max(self.peak, sum(_resident(number) for number in ("self", *children)))

    def end(self) -> int:
        """Stop, and say what the most was, in bytes."""
        self._done.set()
        self.join()
        return self.peak


def _resident(process: str) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except OSError:  # it has just ended
        return 0


def run(root: Path, *, epochs: int) -> None:
    """Read the folder for some epochs and print what it took."""
    begin = time.perf_counter()
    tasks = image_folder(root)
    nothing = np.empty(0, dtype=np.int64)
    train, _, _ = prepare(tasks, Split(np.arange(len(tasks.rows)), nothing, nothing))
    print(
        f"listed {len(tasks.rows):,} images of {len(tasks)} tasks: "
        f"{time.perf_counter() - begin:.1f} s"
    )
    batches = Batches(train, batch_size=64, tasks_per_step=8)
    steps = iter(batches)
    with mock.patch("PIL.Image.open", side_effect=Image.open) as opened:
        for epoch in range(1, epochs + 1):
            begin, images = time.perf_counter(), 0
            for (batch,) in islice(steps, batches.steps_per_epoch):
                images += batch.targets.numel()
            seconds = time.perf_counter() - begin
            print(
                f"epoch {epoch}: {images / seconds:,.0f} images a second "
                f"({seconds / batches.steps_per_epoch * 1e3:.2f} ms a step of 512)"
            )
    print(f"images decoded in the training process: {opened.call_count}")


def main() -> None:
    """Make the folder, read it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SOFTSHARE_CACHE"] = f"{folder}/cache"
        begin = time.perf_counter()
        make(Path(folder, "images"), arguments.images)
        print(f"wrote the files: {time.perf_counter() - begin:.1f} s")
        memory = Memory()
        memory.start()
        run(Path(folder, "images"), epochs=arguments.epochs)
        print(f"most memory resident: {memory.end() / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
