"""The named data sets: what ``softshare compare`` and :func:`softshare.data.load.load` offer. The
only list of their names.

A new one costs a module with a function that returns its tasks, and a line here. The list imports
none of these modules, so that a help text made from it waits for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

A_TENTH = 0.1
"""What trains by default of sets with more labels than the question asks for, or whose training
fractions are of all labels.
"""


@dataclass(frozen=True)
class NamedSource:
    """A data set that has a name.

    Args:
        name: on the command line.
        module: that reads it; one of a public set has a ``SET`` that says which files it has.
        function: that module's; called without arguments, it returns the task set.
        default_fraction: of the training part that trains where no other is asked for.
        public: whether its files are in the data folder, from a public home; else it comes with a
            library, or is made.
    """

    name: str
    module: str
    function: str
    default_fraction: float = 1.0
    public: bool = True


_BUILT_IN = "softshare.data.built_in"
_MNIST = "softshare.data.mnist"
_OMNIGLOT = "softshare.data.omniglot"
_OFFICE = "softshare.data.office_caltech"

SOURCES: tuple[NamedSource, ...] = (
    NamedSource(
        "digits",
        _BUILT_IN,
        "digits",
        default_fraction=A_TENTH,
        public=False,
    ),
    NamedSource(
        "classics",
        _BUILT_IN,
        "classics",
        public=False,
    ),
    NamedSource(
        "iris",
        _BUILT_IN,
        "iris",
        public=False,
    ),
    NamedSource(
        "wine",
        _BUILT_IN,
        "wine",
        public=False,
    ),
    NamedSource(
        "breast_cancer",
        _BUILT_IN,
        "breast_cancer",
        public=False,
    ),
    NamedSource(
        "schools",
        "softshare.data.schools",
        "load",
        default_fraction=0.3,
        public=False,
    ),
    NamedSource(
        "synthetic",
        "softshare.data.synthetic",
        "load",
        public=False,
    ),
    NamedSource("mnist", _MNIST, "load"),
    NamedSource("mnist-odd-even", _MNIST, "odd_even"),
    NamedSource("mnist-pairs", _MNIST, "digit_pairs"),
    NamedSource("mnist-brightness", _MNIST, "brightness"),
    NamedSource(
        "omniglot",
        _OMNIGLOT,
        "load",
        default_fraction=A_TENTH,
    ),
    NamedSource(
        "omniglot-groups",
        _OMNIGLOT,
        "groups",
        default_fraction=A_TENTH,
    ),
    NamedSource("cifar10", "softshare.data.cifar10", "load"),
    NamedSource("uci", "softshare.data.uci", "load"),
    NamedSource(
        "office-caltech",
        _OFFICE,
        "load",
        default_fraction=A_TENTH,
    ),
    NamedSource(
        "office-caltech-surf",
        _OFFICE,
        "surf",
        default_fraction=A_TENTH,
    ),
    NamedSource(
        "office-caltech-googlenet",
        _OFFICE,
        "googlenet",
        default_fraction=A_TENTH,
    ),
    NamedSource(
        "imageclef-da",
        "softshare.data.imageclef_da",
        "load",
        default_fraction=A_TENTH,
    ),
    NamedSource("celeba", "softshare.data.celeba", "load"),
    NamedSource("adience", "softshare.data.adience", "load"),
)


def named_source(name: object) -> NamedSource | None:
    """The data set of this name; None where there is none (a file, a folder, a misspelt name)."""
    for source in SOURCES:
        if source.name == str(name):
            return source
    return None


def default_fraction(name: object) -> float:
    """The fraction of the training part that trains by default, of any source: a table's is 1."""
    source = named_source(name)
    return 1.0 if source is None else source.default_fraction
