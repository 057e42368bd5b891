"""Parts are never tasks or classes, whatever they are called and wherever they stand."""

from pathlib import Path

import pytest

from softshare.data.image_layout import layout_of, part_named


def filled(root: Path, *folders: str, n_images: int = 2) -> Path:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for number in range(n_images):
            (root / folder / f"{number}.png").touch()
    return root


@pytest.mark.parametrize(
    ("folder", "part"),
    [
        ("train", "train"),
        ("Training", "train"),
        ("TRAIN_images", "train"),
        ("trainset", "train"),
        ("training-data", "train"),
        ("val", "validation"),
        ("valid", "validation"),
        ("validation_set", "validation"),
        ("dev", "validation"),
        ("test", "test"),
        ("Testing", "test"),
        ("test set", "test"),
        ("trains", None),
        ("contest", None),
        ("device", None),
        ("tested", None),
    ],
)
def test_the_names_of_parts(folder: str, part: str | None) -> None:
    assert part_named(folder) == part


def test_parts_of_one_task_are_refused_and_with_a_folder_around_it_given(tmp_path: Path) -> None:
    root = filled(tmp_path / "pets", "train/cat", "train/dog", "valid/cat", "valid/dog", "test/cat")
    with pytest.raises(ValueError, match=r"pets holds one task, divided into test, train, valid"):
        layout_of(root)
    layout = layout_of(tmp_path)
    assert set(layout.tasks) == {"pets"}
    assert layout.labels == ["cat"] * 4 + ["dog"] * 2 + ["cat"] * 2 + ["dog"] * 2
    assert layout.parts == ["test"] * 2 + ["train"] * 4 + ["validation"] * 4
    assert layout.notes == (
        "the folders test, train, valid are taken as given parts, not as tasks or classes",
    )


@pytest.mark.parametrize("order", ["{part}/{task}/{label}", "{task}/{part}/{label}"])
def test_parts_around_tasks_and_within_them_are_parts(tmp_path: Path, order: str) -> None:
    folders = []
    for task, labels in (("birds", "uv"), ("cars", "wx")):
        for label in labels:
            for part in ("Train", "Test"):
                folders.append(order.format(task=task, part=part, label=label))
    layout = layout_of(filled(tmp_path, *folders))
    assert len(layout.names) == 16
    for name, task, label, part in zip(
        layout.names, layout.tasks, layout.labels, layout.parts or (), strict=True
    ):
        assert {task, label, part.title()} == set(name.split("/")[:-1])
    assert layout.strays == []


def test_where_nothing_is_called_test_what_validates_judges(tmp_path: Path) -> None:
    layout = layout_of(filled(tmp_path, "a/train/u", "a/train/v", "a/val/u", "a/val/v"))
    assert set(layout.parts or ()) == {"train", "test"}
    assert "what validates there is the test part" in layout.notes[0]


def test_one_name_of_a_part_is_a_name(tmp_path: Path) -> None:
    layout = layout_of(filled(tmp_path, "vehicles/train", "vehicles/bus", "train/old", "train/new"))
    assert (layout.parts, set(layout.tasks)) == (None, {"vehicles", "train"})


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (("train/u", "test/u", "extra/u"), "train look like parts of a split, and extra"),
        (("val/u", "test/u"), "none is called train"),
        (("a/train/u", "a/test/u", "b/u"), "a has folders of parts .*b has none"),
    ],
)
def test_parts_that_are_not_told_apart_are_refused(
    tmp_path: Path, folders: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        layout_of(filled(tmp_path, *folders))


def test_classes_called_after_parts_are_refused(tmp_path: Path) -> None:
    layout = layout_of(filled(tmp_path, "a/train", "a/test", "b/train", "b/test"))
    assert layout.names == []
    assert len(layout.strays) == 8


def test_what_file_managers_and_results_leave_is_passed_over(tmp_path: Path) -> None:
    filled(tmp_path, "a/u", "a/v", "__MACOSX/a/u")
    for name in ("a/Thumbs.db", "a/u/desktop.ini", ".DS_Store", "a/v/._0.png", "labels.csv"):
        (tmp_path / name).touch()
    for folder in ("softshare-results", "mine/records", "mine/splits"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "report.html").touch()
    layout = layout_of(tmp_path)
    assert len(layout.names) == 4
    assert (layout.strays, layout.empty) == ([], [])
    assert sorted(layout.passed_over) == [
        ".DS_Store",
        "__MACOSX",
        "a/Thumbs.db",
        "a/u/desktop.ini",
        "a/v/._0.png",
    ]
