"""The public sets as they are in the data folder have the counts that were published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    adience,
    celeba,
    cifar10,
    imageclef_da,
    mnist,
    office_caltech,
    omniglot,
    uci,
)
from softshare.data.public import PublicFile
from softshare.tasks.task_set import TaskSet

CHARACTERS = {
    "Alphabet_of_the_Magi": 20,
    "Anglo-Saxon_Futhorc": 29,
    "Arcadian": 26,
    "Armenian": 41,
    "Asomtavruli_(Georgian)": 40,
    "Balinese": 24,
    "Bengali": 46,
    "Blackfoot_(Canadian_Aboriginal_Syllabics)": 14,
    "Braille": 26,
    "Burmese_(Myanmar)": 34,
    "Cyrillic": 33,
    "Early_Aramaic": 22,
    "Futurama": 26,
    "Grantha": 43,
    "Greek": 24,
    "Gujarati": 48,
    "Hebrew": 22,
    "Inuktitut_(Canadian_Aboriginal_Syllabics)": 16,
    "Japanese_(hiragana)": 52,
    "Japanese_(katakana)": 47,
    "Korean": 40,
    "Latin": 26,
    "Malay_(Jawi_-_Arabic)": 40,
    "Mkhedruli_(Georgian)": 41,
    "N_Ko": 33,
    "Ojibwe_(Canadian_Aboriginal_Syllabics)": 14,
    "Sanskrit": 42,
    "Syriac_(Estrangelo)": 23,
    "Tagalog": 17,
    "Tifinagh": 55,
    "Angelic": 20,
    "Atemayar_Qelisayer": 26,
    "Atlantean": 26,
    "Aurek-Besh": 26,
    "Avesta": 26,
    "Ge_ez": 26,
    "Glagolitic": 45,
    "Gurmukhi": 45,
    "Kannada": 41,
    "Keble": 26,
    "Malayalam": 47,
    "Manipuri": 40,
    "Mongolian": 30,
    "Old_Church_Slavonic_(Cyrillic)": 45,
    "Oriya": 46,
    "Sylheti": 28,
    "Syriac_(Serto)": 23,
    "Tengwar": 25,
    "Tibetan": 42,
    "ULOG": 26,
}

UCI = {
    "australian": (14, [383, 307]),
    "breast cancer": (30, [357, 212]),
    "ecoli": (7, [143, 77, 2, 2, 35, 20, 5, 52]),
    "german": (24, [700, 300]),
    "heart": (13, [164, 55, 36, 35, 13]),
    "hepatitis": (19, [32, 123]),
    "iris": (4, [50, 50, 50]),
    "pima": (8, [500, 268]),
    "wine": (13, [59, 71, 48]),
    "yeast": (8, [463, 5, 35, 44, 51, 163, 244, 429, 20, 30]),
}


@pytest.fixture(autouse=True)
def _there(data_folder: Path, request: pytest.FixtureRequest) -> None:
    """Skips a test whose files are not in the data folder."""
    files: tuple[PublicFile, ...] = getattr(request.function, "files", ())
    if missing := [file.path for file in files if not file.is_there]:
        pytest.skip(f"not in the data folder: {', '.join(missing)}")


def needs(*files: PublicFile):
    """Marks a test with the files that it reads."""

    def marked(test):
        test.files = files
        return test

    return marked


def counts(tasks: TaskSet, number: int) -> list[int]:
    """Examples of every class of a task."""
    assert tasks.tasks[number].kind != "regression"
    return np.bincount(tasks.targets[tasks.entries(number)].astype(int)).tolist()


@needs(*mnist.SET.files)
def test_mnist() -> None:
    tasks = mnist.load()
    train = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    test = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    is_test = tasks.parts[0] == "test"
    for digit in range(10):
        of_digit = tasks.targets[tasks.entries(digit)] == 1
        assert (int((of_digit & ~is_test).sum()), int((of_digit & is_test).sum())) == (
            train[digit],
            test[digit],
        )


@needs(*omniglot.SET.files)
def test_omniglot() -> None:
    tasks = omniglot.load()
    assert {task.name: task.n_outputs for task in tasks.tasks} == CHARACTERS
    assert all(
        counts(tasks, number) == [20] * task.n_outputs for number, task in enumerate(tasks.tasks)
    )
    assert tasks.sources[0].shape == (32_460, 1, 105, 105)
    few = tasks.sources[0][np.arange(0, 32_460, 100)]
    assert np.unique(few).tolist() == [0, 255]
    assert 0.01 < (few > 0).mean() < 0.2, "ink is bright, and there is little of it"


@needs(*omniglot.SET.files)
def test_omniglot_trains_on_a_share_of_the_twenty_drawings() -> None:
    tasks = omniglot.load(["Greek", "Balinese"])
    for share, drawings in ((0.05, 1), (0.1, 2), (0.5, 10), (0.9, 18)):
        train, validation, test = tasks.split(seed=0, train_fraction=share)
        assert all(counts(train, number) == [drawings] * 24 for number in range(2))
        assert np.unique(validation.n_examples + test.n_examples).tolist() == [24 * (20 - drawings)]


@needs(*omniglot.SET.files)
def test_omniglot_groups() -> None:
    tasks = omniglot.groups()
    assert sum(task.n_outputs for task in tasks.tasks) == 1623
    assert {name.split(" ")[0] for name in tasks.tasks[0].classes} == set(sorted(CHARACTERS)[:10])


def test_cifar10() -> None:
    if cifar10.SET.missing:
        pytest.skip("CIFAR-10 is not in the data folder")
    tasks = cifar10.load()
    is_test = tasks.parts[0] == "test"
    for number, task in enumerate(tasks.tasks):
        own = tasks.entries(number)
        of_test = tasks.targets[own][is_test[tasks.rows[own]]].astype(int)
        assert np.bincount(of_test).tolist() == [1000] * len(task.classes)
    mean = tasks.sources[0][np.flatnonzero(~is_test)].mean(axis=(0, 2, 3)) / 255
    np.testing.assert_allclose(mean, [0.4914, 0.4822, 0.4465], atol=0.003)


@needs(*uci.SET.files)
def test_uci() -> None:
    tasks = uci.load()
    assert list(tasks.names) == list(UCI)
    for number, (n_features, sizes) in enumerate(UCI.values()):
        assert tasks.input_shape(number) == (n_features,)
        assert counts(tasks, number) == sizes
    missing = [int(source.isna().to_numpy().sum()) for source in tasks.sources]
    assert dict(zip(tasks.names, missing, strict=True)) == dict.fromkeys(UCI, 0) | {
        "heart": 6,
        "hepatitis": 167,
    }


@needs(*uci.SET.files)
def test_uci_in_the_unit_interval_has_the_papers_inputs() -> None:
    tasks = uci.load(unit_interval=True)
    train, _, _ = tasks.split(seed=0)
    assert [train.input_shape(number)[0] for number in range(10)] == [
        n_features for n_features, _ in UCI.values()
    ]
    for number in range(10):
        inputs, _ = tasks.examples(number)
        assert (float(inputs.min()), float(inputs.max())) == (0, 1)


@needs(*office_caltech.SET.files)
def test_office_caltech_images() -> None:
    tasks = office_caltech.load(size=16)
    assert [counts(tasks, number) for number in range(4)] == [
        list(sizes) for sizes in office_caltech.COUNTS.values()
    ]


@needs(*office_caltech.SET.files)
@pytest.mark.parametrize(
    ("percentage", "train", "test"),
    [
        (5, [24, 29, 10, 15], [934, 1094, 140, 265]),
        (10, [48, 57, 16, 30], [910, 1066, 140, 265]),
        (20, [96, 113, 32, 59], [862, 1010, 125, 236]),
    ],
)
def test_office_caltech_lists(percentage: int, train: list[int], test: list[int]) -> None:
    tasks = office_caltech.load(percentage=percentage, size=16)
    given_train, _, given_test = tasks.split(seed=0, fractions=(0.8, 0.0, 0.2))
    assert given_train.n_examples.tolist() == train
    assert given_test.n_examples.tolist() == test


@needs(*office_caltech.SET.files)
@pytest.mark.parametrize(("inputs", "n_tasks", "width"), [("surf", 4, 800), ("googlenet", 3, 1024)])
def test_office_caltech_features(inputs: str, n_tasks: int, width: int) -> None:
    tasks = office_caltech.load(inputs)  # type: ignore[arg-type]
    assert len(tasks) == n_tasks
    for number, task in enumerate(tasks.tasks):
        assert tasks.input_shape(number) == (width,)
        assert counts(tasks, number) == list(office_caltech.COUNTS[str(task.name)])


@needs(*imageclef_da.LISTS.values())
def test_imageclef_da() -> None:
    lists = imageclef_da.labels()
    assert {domain: len(names) for domain, (names, _) in lists.items()} == {
        "bing": 600,
        "caltech256": 600,
        "imagenet": 600,
        "pascal": 600,
    }
    assert len(set(lists["pascal"][0])) == 591, "nine images show two kinds of objects"


@needs(celeba.ATTRIBUTES, celeba.PARTITION)
def test_celeba() -> None:
    has = celeba.labels()
    assert has.shape == (202_599, 41)
    assert has["part"].value_counts().to_dict() == {
        "train": 162_770,
        "validation": 19_867,
        "test": 19_962,
    }
    assert int(has["Male"].sum()) == 84_434


@needs(*adience.FOLDS)
def test_adience() -> None:
    faces = adience.labels()
    assert faces["fold"].value_counts(sort=False).to_dict() == {
        0: 4496,
        1: 3745,
        2: 3953,
        3: 3459,
        4: 3834,
    }
    assert faces["gender"].value_counts().to_dict() == {"f": 9411, "m": 8192}
    assert (faces.groupby("person")["fold"].nunique() == 1).all(), "a person is in one fold"
