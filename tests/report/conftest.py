"""A page as its reader sees it: its text, its tables, its headings, its links."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from softshare.report.page import write_report
from tests.report.sample_records import Sample, write_sample

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """Reads a page strictly: an element that is not closed in its turn is an error."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        within = self._open[-1] if self._open else ""
        self.texts.append((within, data))
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        """All that is shown, blanks made one."""
        return " ".join(" ".join(data for within, data in self.texts if within != "style").split())

    def of(self, tag: str) -> list[str]:
        """The texts that stand directly in elements of this name."""
        return [data for within, data in self.texts if within == tag and data.strip()]

    def attributes(self, name: str) -> list[str]:
        """All values of one attribute."""
        return [
            value or ""
            for _, attributes in self.tags
            for key, value in attributes.items()
            if key == name
        ]

    def table(self, *heads: str) -> list[list[str]]:
        """The rows of the first table whose heads begin with these, the heads left out."""
        return next(rows[1:] for rows in self.tables if rows[0][: len(heads)] == list(heads))


@pytest.fixture(scope="session")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Page]:
    """Sample → the page that is written for it, once for all tests."""
    pages: dict[str, Page] = {}

    def written(sample: Sample, **options: Any) -> Page:
        key = repr((sample, options))
        if key not in pages:
            out = tmp_path_factory.mktemp("report")
            write_sample(out, sample)
            pages[key] = Page(write_report(out, **options).read_text(encoding="utf-8"))
        return pages[key]

    return written
