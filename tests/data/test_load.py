"""Sources by name: data sets, tables and folders of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from softshare.data.load import load, public_set, public_sets
from softshare.data.named import SOURCES


def test_a_file_is_a_source_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,y\n1,0\n2,1\n", encoding="utf-8")
    assert load(tmp_path / "t.csv", target="y").names == ("y",)
    wanted = r"^target: .*t.csv is a table, name the column or columns to predict; there are x, y;"
    with pytest.raises(ValueError, match=wanted):
        load(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.parquet", "t.jsonl"])
def test_a_damaged_table_is_told_before_a_target_that_is_missing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 8)
    with pytest.raises(ValueError, match=rf"^cannot read \S*{name}: (?!cannot)"):
        load(tmp_path / name)


def test_the_columns_to_choose_from_are_read_as_was_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("größe|y\n1|0\n2|1\n", encoding="utf-16")
    with pytest.raises(ValueError, match=r"predict; there are größe, y;"):
        load(tmp_path / "t.csv", sep="|", encoding="utf-16")


def test_unknown_sources_are_named_with_their_neighbours() -> None:
    with pytest.raises(ValueError, match=r"'digit'; did you mean 'digits'\?$"):
        load("digit")
    with pytest.raises(
        ValueError, match=rf"'q'; there are {', '.join(source.name for source in SOURCES)}$"
    ):
        load("q")
    for target in ((), "y"):
        with pytest.raises(FileNotFoundError, match=r"no such file: nothing.csv"):
            load("nothing.csv", target=target)


def test_options_of_a_table_do_not_go_with_a_built_in_set() -> None:
    with pytest.raises(
        ValueError,
        match=r"^task: goes with a table, 'digits' is a data set .*; kinds: goes with a table",
    ):
        load("digits", task="t", kinds="binary")


def test_the_first_tasks_of_a_set_or_of_a_table_can_be_taken(tmp_path: Path) -> None:
    assert load("digits", n_tasks=3).names == ("digit 0", "digit 1", "digit 2")
    (tmp_path / "t.csv").write_text("x,y,z\n1,0,1\n2,1,0\n", encoding="utf-8")
    assert load(tmp_path / "t.csv", target=["y", "z"], n_tasks=1).names == ("y",)
    for wrong in (0, 11):
        with pytest.raises(ValueError, match=f"there are 10, cannot take the first {wrong}"):
            load("digits", n_tasks=wrong)


def test_options_of_images_go_with_a_folder_only() -> None:
    with pytest.raises(
        ValueError,
        match=r"^image_size: goes with a folder of images, 'digits' is none; "
        r"skip_broken: goes with a folder of images, 'digits' is none$",
    ):
        load("digits", image_size=8, skip_broken=True)


def test_a_folder_reads_named_columns_of_its_labels_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^drop: goes with a table; of the folder"):
        load(tmp_path, target="y", drop=["x"])
    with pytest.raises(ValueError, match=r"^target: .* is a folder of images, name the column of"):
        load(tmp_path, task="who")


def test_public_sets_stand_in_the_order_of_the_list() -> None:
    assert list(public_sets()) == [
        "mnist",
        "omniglot",
        "cifar10",
        "uci",
        "office-caltech",
        "imageclef-da",
        "celeba",
        "adience",
    ]
    assert public_set("uci") is public_sets()["uci"]
    with pytest.raises(ValueError, match=r"'uic'; did you mean 'uci'\?$"):
        public_set("uic")
