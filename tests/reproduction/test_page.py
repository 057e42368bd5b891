"""What is committed is what the committed records say."""

from __future__ import annotations

from softshare.reproduction.page import all_files


def test_tables_figures_and_page_are_those_that_the_records_make():
    for path, content in all_files().items():
        assert path.read_text(encoding="utf-8") == content, f"{path}: run `make results`"
