"""The standard streams of the command: whatever they are, they end no comparison.

One may be closed from the beginning, its reader may go away (``| head -1``), and its encoding may
have no minus sign. None of this is worth a run.
"""

from __future__ import annotations

import codecs
import os
import sys
from io import TextIOWrapper
from typing import TextIO

LOOK_ALIKES = {
    "−": "-",
    "–": "-",
    "·": "-",
    "→": "->",
    "±": "+/-",
    "×": "x",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "’": "'",
    "ρ": "rho",
}
"""What stands for a character that an encoding has no place for; a question mark for all others."""

_ERRORS = "softshare.look_alikes"


class LastingStream(TextIOWrapper):
    """A stream that goes on when nobody reads it any more; what is written then is lost.

    Raises:
        OSError: it cannot be written for another reason, such as a full disk; the first time only,
            and not on the standard error, where there is nobody left to tell.
    """

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self.fileno())
        os.close(nothing)
        super().flush()
        if not isinstance(error, BrokenPipeError) and self.fileno() != 2:
            raise OSError(f"cannot write the output ({error.strerror})") from None


def make_streams_last() -> None:
    """Put streams that last in the place of this process's own; those of a test are left alone."""
    _open_the_closed()
    codecs.register_error(_ERRORS, look_alikes)
    if sys.stdout is sys.__stdout__:
        sys.stdout = vars(sys)["__stdout__"] = _lasting(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = vars(sys)["__stderr__"] = _lasting(sys.stderr, 2)


def look_alikes(error: UnicodeError) -> tuple[str, int]:
    """What to write in place of characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    odd = error.object[error.start : error.end]
    return "".join(LOOK_ALIKES.get(character, "?") for character in odd), error.end


def _open_the_closed() -> None:
    """Give numbers of closed streams to nothing: a record would be opened as the standard error,
    and every complaint would be written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # the lowest that is free, which is this one
            os.open(os.devnull, os.O_RDWR)


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    if isinstance(stream, LastingStream):
        return stream
    if not isinstance(stream, TextIOWrapper):  # None: it was closed
        return LastingStream(os.fdopen(os.dup(number), "wb"), encoding="utf-8", errors=_ERRORS)
    stream.flush()
    encoding = stream.encoding
    by_line, at_once = stream.line_buffering, stream.write_through
    return LastingStream(
        stream.detach(),
        encoding=encoding,
        errors=_ERRORS,
        line_buffering=by_line,
        write_through=at_once,
    )
