"""Omniglot's alphabets in tens: as five tasks, and with MNIST's digits; made images for both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.data import mnist, omniglot
from softshare.data.made_images import made_images
from softshare.data.shrunk import shrunk
from softshare.tasks.sources import as_source
from softshare.tasks.task_set import TaskSet

TEST_DRAWINGS = 6
"""Of the 20 of a character, the last ones, where a test part is given."""


CHARACTERS = 5
"""Of each alphabet: fifty to a task."""


def groups(shrink: int = 1) -> TaskSet:
    """The five tasks of :func:`softshare.data.omniglot.groups`, of fifty characters each.

    Args:
        shrink: images so many times smaller, 3, 5 or 7; 1: as they are.
    """
    return _smaller(omniglot.groups(CHARACTERS), shrink)


def first_alphabets(count: int, shrink: int) -> TaskSet:
    """The tasks of :func:`softshare.data.omniglot.first`, images so many times smaller.

    Args:
        count: of tasks.
        shrink: 3, 5 or 7.
    """
    every = omniglot.first(count)
    # Of the images of all alphabets, those that these have: the others need not be made smaller.
    images = np.asarray(every.sources[0][every.rows])
    own = replace(every, sources=(as_source(images),), rows=np.arange(len(images)))
    return shrunk(own, shrink)


def made_groups(shrink: int = 1) -> TaskSet:
    """Made images in place of the drawings: tasks of the form that :func:`groups` has.

    Args:
        shrink: see :func:`groups`.
    """
    return _smaller(_made("ABCDE"), shrink)


def characters_and_digits(shrink: int = 1) -> TaskSet:
    """Two tasks: to tell apart fifty characters, five of each of the first ten alphabets by name,
    and the digits of MNIST.

    The last drawings of each character are the test part, as MNIST has one.

    Args:
        shrink: of the characters, see :func:`groups`; where it is not 1, digits are halved.
    """
    characters = omniglot.groups(CHARACTERS).keep_tasks([0])
    return _joined(characters, mnist.ten_classes(halved=shrink > 1), shrink)


def made_characters_and_digits(shrink: int = 1) -> TaskSet:
    """Made images: tasks of the form that :func:`characters_and_digits` has.

    Args:
        shrink: see there.
    """
    return _joined(_made("A"), mnist.made_ten_classes(halved=shrink > 1), shrink)


def _joined(characters: TaskSet, digits: TaskSet, shrink: int) -> TaskSet:
    tasks = _smaller(characters, shrink)
    tasks = replace(tasks, parts=(_given_parts(tasks),), train_fraction_of_all=False)
    return tasks.renamed({"A": "characters"}).joined(digits)


def _given_parts(tasks: TaskSet) -> np.ndarray:
    """The part of every image: of each character the last drawings test."""
    parts = np.full(len(tasks.sources[0]), "train", dtype=object)
    for character in np.unique(tasks.targets):
        own = tasks.rows[tasks.targets == character]
        parts[own[-TEST_DRAWINGS:]] = "test"
    return parts


def _smaller(tasks: TaskSet, shrink: int) -> TaskSet:
    return tasks if shrink == 1 else shrunk(tasks, shrink)


def _made(letters: str) -> TaskSet:
    """A task a letter, of characters of its own."""
    data = {}
    for number, letter in enumerate(letters):
        own = np.repeat(np.arange(4 + number), omniglot.N_DRAWINGS)
        data[letter] = (made_images(own, size=omniglot.SIZE, seed=number), own)
    return replace(TaskSet.from_arrays(data, kinds="multiclass"), train_fraction_of_all=True)
