"""A worker process: it reads jobs from one private pipe and writes what became of them to another.

Its life, each message a pickle, from the process that started it and back to it::

    what it needs            →
                             ←  None, or what keeps it from working: the kind and the words
    a job, as bytes          →
                             ←  (its result, None) or (None, what it raised), as bytes
    ...
    the end of the pipe      →  it ends

It imports next to nothing before it reads: what is heavy comes with the first message.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

from softshare.evaluation.jobs.contract import AtWorkers

SECONDS_BETWEEN_LOOKS = 0.5
"""How often a worker looks whether the process that started it is still there."""


def main(parent: int) -> NoReturn:
    """Work until there are no more jobs.

    Args:
        parent: the process that started this one. If that is killed in the middle of a job, there
            is nobody to work for.
    """
    _leave_interrupts_to_the_parent()
    jobs, answers = _private_pipes()
    try:
        _work(parent, jobs, answers)
    except (EOFError, BrokenPipeError):
        sys.exit(0)


def _work(parent: int, jobs: BinaryIO, answers: BinaryIO) -> NoReturn:
    speak = _silenced()
    try:
        _end_with(parent)
        needed = pickle.load(jobs)
        needed.prepare()
    except EOFError:
        raise
    except BaseException as error:
        _tell(answers, (type(error).__name__, str(error)))
        sys.exit(1)
    speak()
    _tell(answers, None)
    while True:
        job = pickle.load(jobs)
        _tell(answers, _answer(needed, job))


def _answer(needed: AtWorkers, job: bytes) -> bytes:
    """What becomes of a job, in a form that can be sent."""
    try:
        result = needed.work(needed.shared, pickle.loads(job))
        return pickle.dumps((result, None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return _sendable(error)


def _sendable(error: Exception) -> bytes:
    """An exception with where it was raised, or one like it where it does not survive the way."""
    error.add_note("in a worker process:\n" + "".join(traceback.format_exception(error)).rstrip())
    try:
        sent = pickle.dumps((None, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(sent)
    except Exception:
        like_it = RuntimeError(f"{type(error).__name__}: {error}")
        like_it.__notes__ = error.__notes__
        sent = pickle.dumps((None, like_it), pickle.HIGHEST_PROTOCOL)
    return sent


def _tell(answers: BinaryIO, message: Any) -> None:
    pickle.dump(message, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes that this process was started with, out of the reach of whatever prints or asks."""
    jobs = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return jobs, answers


def _silenced() -> Callable[[], None]:
    """Say nothing until the function given is called: what fails while a process starts is told in
    one line by the process that started it.
    """
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)

    def speak() -> None:
        os.dup2(kept, 1)
        os.dup2(kept, 2)
        os.close(kept)

    return speak


def _leave_interrupts_to_the_parent() -> None:
    """Ctrl-C reaches every process of a terminal; the one that started the others ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # held back until now, so that none could arrive while the interpreter was starting
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with(parent: int) -> None:
    """End this process, whatever it is doing, when the one that started it has ended."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
