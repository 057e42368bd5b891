"""Made examples have the form of the sets that they stand in for."""

from __future__ import annotations

from softshare.data import adience, cifar10_made, omniglot


def test_made_alphabets_grow_by_a_character() -> None:
    tasks = omniglot.made(3, n_characters=2, n_drawings=10)
    assert [task.n_outputs for task in tasks.tasks] == [2, 3, 4]
    assert {task.kind for task in tasks.tasks} == {"multiclass"}
    assert tasks.input_shape(0) == (1, 105, 105)
    train, _, _ = tasks.split(seed=0, fractions=(0.1, 0.1, 0.8), train_fraction=0.1)
    assert train.n_examples.tolist() == [2, 3, 4]


def test_made_faces_keep_a_persons_images_together_and_lack_some_labels() -> None:
    tasks = adience.made(size=40, n_people=20, n_photographs=4)
    assert [(task.name, task.kind) for task in tasks.tasks] == list(adience.KINDS.items())
    assert tasks.tasks[1].n_outputs == len(adience.AGE_GROUPS)
    assert tasks.input_shape(0) == (3, 40, 40)
    assert tasks.n_examples.tolist() == [75, 75]
    train, validation, test = tasks.split(seed=0)
    people = [set(part.groups[0][part.rows]) for part in (train, validation, test)]
    assert people[2] == {4, 9, 14, 19}
    assert not people[0] & people[1]


def test_made_photographs_are_seen_as_asked() -> None:
    tasks = cifar10_made.made(2, 1, views=("gray", "rgb", "gray"))
    shapes = [tasks.input_shape(number) for number in range(3)]
    assert shapes == [(1, 32, 32), (3, 32, 32), (1, 32, 32)]
    # Tasks of one view have one source, whose parts are in the order of its rows.
    assert len(tasks.sources) == 2
    train, _, test = tasks.split(seed=0, fractions=(0.8, 0.0, 0.2))
    assert train.n_examples.tolist() == [8, 8, 4]
    assert test.n_examples.tolist() == [4, 4, 2]
