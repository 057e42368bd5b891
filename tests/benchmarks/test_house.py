"""The figures of the layout, counted by hand on small files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.house import Layout, broken_rules, by_package, layout_of, without_tests

SOURCE = '''"""A module
of two lines."""

# A comment on its own line.
x = 1  # and one behind code


def double(n):
    """Twice."""
    return [n + k for k in (n,)]
'''


def test_lines_comments_and_comprehensions_are_counted_by_hand() -> None:
    layout = layout_of(SOURCE)
    assert layout.code == 3  # x = 1, def, return
    assert layout.comments == 2
    assert layout.comprehensions == 1
    assert layout.longest == len("    return [n + k for k in (n,)]")


def test_nodes_are_those_of_the_syntax_tree_with_contexts() -> None:
    # Module, Assign, Name, Store, Constant
    assert layout_of("x = 1\n").nodes == 5
    assert layout_of("x = 1\n").density == 5


def test_a_string_that_is_no_docstring_is_code() -> None:
    assert layout_of('"""Doc."""\nx = """\na\n"""\n').code == 3


def test_layouts_add_up() -> None:
    added = Layout(1, 2, 3, 4, 5) + Layout(10, 20, 30, 40, 3)
    assert added == Layout(11, 22, 33, 44, 5)


def make_package(root: Path) -> None:
    for path, text in {
        "softshare/__init__.py": "",
        "softshare/cli.py": "x = 1\n",
        "softshare/network/plan.py": "x = 1\n",
        "softshare/network/execution/fold.py": "x = 1\n",
        "softshare/network/_names.py": "x = 1\n",
        "tests/network/test_plan.py": "",
        "tests/network/test_names.py": "",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_a_package_counts_what_lies_in_its_folders(tmp_path: Path) -> None:
    make_package(tmp_path)
    layouts = by_package(tmp_path)
    assert {name: layout.code for name, layout in layouts.items()} == {
        "softshare": 1,
        "softshare/network": 3,
    }


def test_modules_without_a_test_file_of_their_name_are_listed(tmp_path: Path) -> None:
    make_package(tmp_path)
    assert without_tests(tmp_path) == [
        ("softshare/cli.py", "tests/test_cli.py"),
        ("softshare/network/execution/fold.py", "tests/network/execution/test_fold.py"),
    ]


def test_every_broken_rule_has_a_sentence() -> None:
    layouts = {
        "good": Layout(code=10, nodes=90, longest=100),
        "packed": Layout(code=10, nodes=91, longest=100),
        "wide": Layout(code=10, nodes=90, longest=101),
    }
    assert broken_rules(layouts) == [
        "packed: 9.10 syntax nodes a line, over 9",
        "wide: a line of 101 columns, over 100",
    ]
