"""The command that kills processes at random sees what is lost, left behind or changed."""

from __future__ import annotations

from benchmarks.kills import contents
from softshare.evaluation.results_folder import LOCK


def test_contents_are_all_files_but_the_lock_times_aside(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / LOCK).touch()
    (tmp_path / "records" / ".left.tmp").write_text("half")
    record = tmp_path / "records" / "tied-f1-s0.json"
    record.write_text('{"metrics": 0.5, "seconds": 1.5, "digest": "ab"}')
    before = contents(tmp_path)
    assert before == {"records/.left.tmp": "half", "records/tied-f1-s0.json": {"metrics": 0.5}}
    record.write_text('{"metrics": 0.5, "seconds": 2.5, "digest": "cd"}')
    assert contents(tmp_path) == before
    record.write_text('{"metrics": 0.25, "seconds": 1.5, "digest": "ab"}')
    assert contents(tmp_path) != before
