"""The command ``softshare``: its commands, its exit codes, and what it says where something is
wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from cyclopts import App, CoercionError, CycloptsError, UnknownOptionError

from softshare._version import __version__
from softshare.cli.config import with_config
from softshare.cli.endings import AskedToEndError, ended_in_order
from softshare.cli.flags import FLAGS
from softshare.cli.streams import make_streams_last
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.printable import printable

WRONG_USE, SOME_FAILED, INTERRUPTED = 2, 1, 130
"""Exit codes beside 0: what the user can mend, runs that failed among others, and Ctrl-C."""

NO_MEMORY_TO_LOAD = "failed to map segment"
"""What the system says of a library that it has no memory for."""

ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",  # what is large is computed by other processes
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's memory
    "JOBLIB_MULTIPROCESSING": "0",  # scikit-learn's processes, of which there are none here
}
"""Keeps libraries from trying for threads and processes of their own when they are loaded. Where
the system has no more to give, they fill the terminal, and one ends the process.
"""

GOES_ON = "finished runs are kept, and the same command goes on from there"

app = App(
    name="softshare",
    version=__version__,
    help="Compare learning several related tasks apart with learning them together.",
)
data_app = App(name="data", help="The public data sets: what is there, and how to get the others.")

# By their paths, with the first lines of their help: `softshare --help` loads none of them.
app.command(
    "softshare.cli.compare:compare",
    name="compare",
    help="Train the tasks apart and together, and say what was gained.",
)
app.command(
    "softshare.cli.look:look",
    name="look",
    help="Show how the tasks, the target and every column are read; nothing is trained.",
)
app.command(
    "softshare.cli.fit:fit",
    name="fit",
    help="Learn the tasks from all rows, and keep the model in a folder.",
)
app.command(
    "softshare.cli.model:predict",
    name="predict",
    help="Predict the rows of a table by a model.",
)
app.command(
    "softshare.cli.model:evaluate",
    name="evaluate",
    help="Judge a model by labelled rows.",
)
app.command(
    "softshare.cli.model:inspect",
    name="inspect",
    help="Show what a model is: its tasks, what they share, how well it does.",
)
app.command(
    "softshare.cli.model:add_task",
    name="add-task",
    help="Add tasks that came later to a model.",
)
app.command(
    "softshare.cli.explain:explain",
    name="explain",
    help="Tell what each column matters to all tasks, and to which tasks beyond.",
)
app.command(
    "softshare.cli.export:export",
    name="export",
    help="Write a model as one graph (ONNX, torch.export), which runs without softshare.",
)
app.command(
    "softshare.cli.reproduce:reproduce",
    name="reproduce",
    help="Run a published table or figure again, and say which of its claims hold.",
)
app.command(data_app)
app.command(
    "softshare.cli.methods:methods",
    name="methods",
    help="List the methods: name, what the tasks share, paper.",
)
data_app.command(
    "softshare.cli.data:list_data",
    name="list",
    help="List the public data sets: whether they are here, their size, licence and paper.",
)
data_app.command(
    "softshare.cli.data:get_data",
    name="get",
    help="Download a public data set into the data folder (SOFTSHARE_DATA).",
)


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    For what the user can mend that is 2, after one line; anything else keeps its traceback.
    """
    make_streams_last()
    if "numpy" not in sys.modules:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
    sys.exit(_code(sys.argv[1:] if tokens is None else list(tokens)))


def _code(tokens: list[str]) -> int:
    try:
        _check_current_folder()
        with ended_in_order():
            code = _run(with_config(tokens))
            sys.stdout.flush()
    except ArgumentError as error:
        complain(error.told(FLAGS))
        return WRONG_USE
    except (ValueError, OSError) as error:
        complain(str(error))
        return WRONG_USE
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and NO_MEMORY_TO_LOAD not in str(error):
            raise
        complain(f"there is not enough memory here ({str(error) or 'it is full'})")
        return WRONG_USE
    except AskedToEndError as error:
        complain(f"{error}; {GOES_ON}")
        return error.code
    except KeyboardInterrupt:
        complain(f"interrupted; {GOES_ON}")
        return INTERRUPTED
    return code


def complain(message: str) -> None:
    """One line on what is wrong, to the standard error."""
    print("softshare:", printable(" ".join(message.split())), file=sys.stderr)


def _check_current_folder() -> None:
    """Make sure that there is one: a library that finds none ends the process without a reason.

    Raises:
        OSError: it was deleted, or may not be looked into.
    """
    try:
        os.getcwd()
    except OSError as error:
        told = f"the current folder cannot be used ({error.strerror}); change to another"
        raise OSError(told) from error


def _run(tokens: list[str]) -> int:
    wrong: list[str] = []
    while True:
        try:
            command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
            break
        except (UnknownOptionError, CoercionError) as error:
            wrong.append(str(error))
            tokens = _without(tokens, error)  # and look for more that is wrong in the rest
        except CycloptsError as error:
            raise ValueError("; ".join([*wrong, str(error)])) from None
    if not wrong:
        return command(*bound.args, **bound.kwargs) or 0
    if not _takes_more(command):
        raise ValueError("; ".join(wrong))
    return command(*bound.args, **bound.kwargs, wrong=tuple(wrong)) or 0


def _takes_more(command: Callable[..., Any]) -> bool:
    """Whether a command looks for more that is wrong, beside options that could not be read."""
    return "wrong" in signature(command).parameters


def _without(tokens: list[str], error: UnknownOptionError | CoercionError) -> list[str]:
    """The command line without an option that is wrong, and its values."""
    option = error.token.keyword if error.token else None
    places = range(len(tokens))
    begins = [place for place in places if option and tokens[place].split("=")[0] == option]
    if not begins:
        raise ValueError(str(error)) from None
    begin = begins[0]
    ends = [place for place in places[begin + 1 :] if tokens[place].startswith("--")]
    end = ends[0] if ends else len(tokens)
    return tokens[:begin] + tokens[end:]
