"""Options in a file, and a file of options in the results."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from softshare.cli.app import main
from softshare.cli.compare import Compared, Running, Training
from softshare.cli.config import NOT_OF_THE_DATA, as_toml, with_config

OPTIONS = {
    "source": "visits.csv",
    "task": ("ward",),
    "target": ("ill",),
    "na": ("-999", "-"),
    "columns": ("los=category",),
    "drop_small_tasks": True,
    "seeds": 3,
    "positive": None,
    "methods": (),
}


def test_what_is_written_gives_the_same_command_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(as_toml(OPTIONS), encoding="utf-8")
    expected = "compare visits.csv --task ward --target ill --na=-999 --na=- --columns"
    expected += " los=category --drop_small_tasks --seeds=3"
    found = with_config(["compare", "--config", str(path)])
    assert found == expected.replace("drop_small_tasks", "drop-small-tasks").split()
    given = with_config(["compare", "other.csv", f"--config={path}", "--seeds", "1"])
    assert given[:4] == ["compare", "other.csv", "--seeds", "1"]
    assert "--seeds=3" not in given
    assert "--seeds=3" not in with_config(["look", "--config", str(path)])


def test_a_path_of_bytes_that_are_no_text_is_a_comment() -> None:
    text = as_toml({"source": "visits\udcff.csv", "seeds": 3})
    assert text.splitlines()[1] == "seeds = 3"
    assert text.startswith("# source = ")
    text.encode()


@pytest.mark.parametrize("name", ["Süd", "😀", 'a "b" \\c', "tab\tand\nline"])
def test_names_of_any_characters_come_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(as_toml({"source": "a.csv", "task": (name,)}), encoding="utf-8")
    assert with_config(["compare", "--config", str(path)])[2:] == ["--task", name]


def test_columns_can_be_a_table_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[columns]\nage = "number"\n', encoding="utf-8")
    assert with_config(["look", "a.csv", "--config", str(path)])[2:] == ["--columns", "age=number"]


def test_options_that_a_look_passes_over_are_those_that_say_nothing_of_the_data() -> None:
    names = [field.name for group in (Compared, Training, Running) for field in fields(group)]
    assert sorted(NOT_OF_THE_DATA) == sorted(names)


@pytest.mark.parametrize(
    ("content", "told"),
    [("a = ", "is no TOML"), (None, "cannot read"), ("nonsense = 1", "--nonsense")],
)
def test_files_that_are_wrong_are_told_in_a_line(
    tmp_path: Path, content: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["look", "iris", "--config", str(path)])
    assert end.value.code == 2
    assert told in capsys.readouterr().err


def test_a_look_at_a_table_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "visits.csv"
    rows = "".join(f"{k % 5},{k * 7 % 31},{'ny'[k % 3 == 0]}\n" for k in range(90))
    path.write_text(f"ward,age,ill\n{rows}")
    with pytest.raises(SystemExit) as end:
        main(["look", str(path), "--task", "ward", "--target", "ill", "--columns", "age=category"])
    assert not end.value.code
    out = capsys.readouterr().out
    for told in ("5 tasks of 18 labelled rows each", "31 categories", "as asked", "the target"):
        assert told in out


def test_a_look_leaves_out_tasks_that_are_too_small_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{row % 7}.5,{row % 2},{'ab'[row // 2 % 2]}" for row in range(40)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,y,ward", *rows, "1.5,1,alone"]), encoding="utf-8")
    command = ["look", str(path), "--task", "ward", "--target", "y"]
    for more, tasks in (([], "3 tasks"), (["--drop-small-tasks"], "2 tasks")):
        with pytest.raises(SystemExit) as left:
            main([*command, *more])
        assert left.value.code == 0
        assert capsys.readouterr().out.startswith(tasks)
