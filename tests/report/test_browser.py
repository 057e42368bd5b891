"""The page in a real browser: nothing fails, nothing sticks out at the width of a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from softshare.report.page import write_report
from tests.report.sample_records import Sample, write_sample

BROWSER = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
)

# A window cannot be as narrow as a phone, a frame can.
FRAME = """<!DOCTYPE html><title>frame</title>
<iframe width="{width}" height="900" scrolling="no" style="border: 0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const frame = document.querySelector("iframe"), page = frame.contentDocument;
  page.querySelectorAll("details").forEach(element => {{ element.open = true; }});
  frame.height = page.documentElement.scrollHeight;
  const isDrawn = figure => figure.getBoundingClientRect().height > 50;
  const drawn = [...page.querySelectorAll("svg")].filter(isDrawn).length;
  const widths = [frame.contentWindow.innerWidth, page.documentElement.scrollWidth];
  document.body.dataset.measured = [...widths, drawn, page.title].join("|");
}});
</script>"""

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium is installed: the report is not opened in a browser"
)


def opened(page: Path, profile: Path) -> tuple[str, str]:
    """The page's elements after loading, and what the browser complained of."""
    command = [str(BROWSER), *OPTIONS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.parametrize(
    "sample",
    [
        Sample(fractions=(0.1, 1.0)),
        Sample(
            tasks={"unbroken" * 40: "binary", "long " * 60: "binary", "c": "binary"},
            notes=("w" * 300,),
            harmed={},
        ),
    ],
    ids=["digits", "long names"],
)
def test_the_page_opens_without_complaint_and_fits_a_phone(tmp_path, sample):
    write_sample(tmp_path, sample)
    report = write_report(tmp_path)
    assert opened(report, tmp_path / "profile")[1] == ""

    html, frame = report.read_text(encoding="utf-8"), tmp_path / "frame.html"
    for width in (400, 1200):
        frame.write_text(FRAME.format(width=width, page=escape(html)), encoding="utf-8")
        elements, complaints = opened(frame, tmp_path / "profile")
        assert complaints == ""
        measured = re.findall(r'data-measured="([^"]*)"', elements)
        assert measured == [f"{width}|{width}|{html.count('<svg')}|softshare: digits"]
