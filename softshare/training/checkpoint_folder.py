"""The checkpoints of one training: the newest, and the one before, should that be damaged."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from softshare.files import remove_unfinished
from softshare.training.checkpoint_file import (
    Checkpoint,
    DamagedError,
    read_checkpoint,
    write_checkpoint,
)

KEPT = 2
"""Checkpoints of one training that stay: should the newest be damaged, there is one before."""

_NAME = re.compile(r"(?:step-(?P<step>\d+)|finished)\.safetensors")


class CheckpointFolder:
    """A folder of checkpoints of one training; files of other names in it are left alone.

    Args:
        path: of the folder; made when something is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; None where there is none.

        Damaged ones are told as a warning, each with what is taken instead.

        Raises:
            OSError: one cannot be read; the message names it.
            ValueError: one is of another version's format.
        """
        remove_unfinished([self.path])
        damaged: list[str] = []
        for path in self._paths():
            try:
                checkpoint = read_checkpoint(path)
            except DamagedError as error:
                damaged.append(f"{path} is damaged ({error})")
                continue
            except OSError as error:
                raise _unreadable(path, error) from error
            _tell(damaged, f"step {checkpoint.step}")
            return checkpoint
        _tell(damaged, "its beginning")
        return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Write one more, and remove those that it makes too many.

        Raises:
            OSError: it cannot be written; the message names the file, the reason and a remedy.
        """
        name = "finished" if checkpoint.finished else f"step-{checkpoint.step:09}"
        write_checkpoint(self.path / f"{name}.safetensors", checkpoint)
        for path in list(self._paths())[KEPT:]:
            with suppress(OSError):  # it is removed with the next one
                os.unlink(path)

    def _paths(self) -> Iterator[Path]:
        """The checkpoints that there are, the newest first."""
        steps: dict[float, str] = {}
        names: list[str] = []
        try:
            names = os.listdir(self.path)
        except (FileNotFoundError, NotADirectoryError):
            pass  # writing makes it, or tells why not
        except OSError as error:
            raise _unreadable(self.path, error) from error
        for name in names:
            if found := _NAME.fullmatch(name):
                steps[float(found["step"] or "inf")] = name
        for step in sorted(steps, reverse=True):
            yield self.path / steps[step]


def _unreadable(path: Path, error: OSError) -> OSError:
    told = f"checkpoint: cannot read {path}: {error.strerror or error}"
    return OSError(f"{told}; make it readable, or choose another folder")


def _tell(damaged: list[str], taken: str) -> None:
    if damaged:
        told = "; ".join(damaged)
        warnings.warn(f"checkpoint: {told}; training goes on from {taken}", stacklevel=2)
