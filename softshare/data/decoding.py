"""Decoding images in processes of their own, which know Pillow and not PyTorch.

``python -m softshare.data.decoding FOLDER`` is such a process: it reads lines of row numbers,
decodes these images of the folder's list into its array, and answers each line with what is wrong:
JSON, row → reason.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

import numpy as np

from softshare.data.image_form import ImageForm

LIST, IMAGES = "list.json", "images.npy"
"""In a folder of decoded images: which files they are and their form, and their pixels ``(N, C, H,
W)``.
"""


def write_list(
    folder: Path,
    root: Path,
    names: Sequence[str],
    form: ImageForm,
) -> None:
    """Begin a folder of decoded images: what is to be decoded, and room for it, which takes no
    space on disk yet.
    """
    content = {"root": str(root.resolve()), "names": list(names), "form": asdict(form)}
    (folder / LIST).write_text(json.dumps(content), encoding="utf-8")
    np.lib.format.open_memmap(
        folder / IMAGES,
        mode="w+",
        dtype=np.uint8,
        shape=(len(names), *form.shape),
    )


def read_list(folder: Path) -> tuple[Path, list[str], ImageForm]:
    """The images' own folder, their names in it, and their form."""
    content = json.loads((folder / LIST).read_text(encoding="utf-8"))
    return Path(content["root"]), content["names"], ImageForm(**content["form"])


class Decoders:
    """Processes that decode images of a folder; they end with this object.

    Args:
        folder: of decoded images.
        n_processes: how many.
    """

    def __init__(self, folder: Path, n_processes: int) -> None:
        self._folder = folder
        package = str(Path(__file__).parents[2])
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        }
        command = [sys.executable, "-P", "-m", __name__, str(folder)]
        self._processes = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=environment,
            )
            for _ in range(n_processes)
        ]
        self.close = weakref.finalize(self, _end, self._processes)

    def decode(self, rows: np.ndarray) -> dict[int, str]:
        """Decode these images; returns what is wrong with those that could not be.

        Raises:
            OSError: decoded images cannot be written, or a process ended.
        """
        parts = [part for part in np.array_split(rows, len(self._processes)) if len(part)]
        try:
            for process, part in zip(self._processes, parts, strict=False):
                _tell(process.stdin, " ".join(map(str, part.tolist())))
            answers = [
                json.loads(process.stdout.readline())
                for process, _ in zip(self._processes, parts, strict=False)
                if process.stdout
            ]
        except (BrokenPipeError, json.JSONDecodeError):
            raise OSError("a process that decodes images has ended; memory may be full") from None
        if reason := next((answer for answer in answers if isinstance(answer, str)), None):
            remedy = "make room there, or name another cache folder with SOFTSHARE_CACHE"
            raise OSError(f"cannot write decoded images to {self._folder} ({reason}); {remedy}")
        return {int(row): reason for answer in answers for row, reason in answer.items()}


def work(
    folder: Path,
    requests: IO[str],
    answers: IO[str],
) -> None:
    """Answer requests until there are no more; an answer that is a text says why images cannot be
    written.
    """
    root, names, form = read_list(folder)
    begin = np.load(folder / IMAGES, mmap_mode="r").offset
    with (folder / IMAGES).open(
        "r+b", buffering=0
    ) as file:  # written pages of a map would count as this process's memory
        for request in requests:
            wrong: dict[int, str] = {}
            try:
                for row in map(int, request.split()):
                    pixels, wrong_with_it = _pixels(form, root / names[row])
                    if wrong_with_it:
                        wrong[row] = wrong_with_it
                    _write(file, begin + row * len(pixels), pixels)
            except OSError as error:
                _tell(answers, json.dumps(str(error.strerror)))
            else:
                _tell(answers, json.dumps(wrong))


def _pixels(form: ImageForm, path: Path) -> tuple[bytes, str]:
    """An image's content, or none and what is wrong with it."""
    try:
        return form.decode(path).tobytes(), ""
    except (OSError, ValueError) as error:
        return b"", (error.strerror if isinstance(error, OSError) else None) or str(error)


def _write(
    file: IO[bytes],
    place: int,
    content: bytes,
) -> None:
    rest = memoryview(content)
    file.seek(place)
    while rest:  # where room ends within an image, only the next write fails
        rest = rest[file.write(rest) :]


def _tell(stream: IO[str] | None, line: str) -> None:
    if stream is not None:
        print(line, file=stream, flush=True)


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        with suppress(BrokenPipeError):  # it has ended before
            process.communicate()


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # an interrupt is for the process that asks; this one ends with its requests
    work(Path(sys.argv[1]), sys.stdin, sys.stdout)
