"""The help names the metrics by which tasks are compared, as their table has them."""

from __future__ import annotations

from softshare.cli.compare import Compared
from softshare.tasks.metrics import metrics_of
from softshare.tasks.task import KINDS


def test_the_help_names_the_first_metric_of_every_kind():
    told = " ".join((Compared.__doc__ or "").split())
    for kind in KINDS:
        assert f"{metrics_of(kind)[0].name} ({kind})" in told
