"""The page says what the records say, holds all it needs, and stands whatever the records are."""

from __future__ import annotations

import html
import re
import shlex
import statistics
from itertools import pairwise

import pytest
from scipy import stats

from softshare.cli.app import app
from softshare.evaluation.answer import answer_in_parts
from softshare.evaluation.cautions import cautions
from softshare.evaluation.records.records import write_record
from softshare.methods.settings import RunSettings
from softshare.report.page import write_report
from tests.report.sample_records import Sample, rewrite, write_sample, written

HOSTILE = (
    "<script>alert(1)</script>",
    "--><b>x</b>",
    '$x_1$ "#0072b2',
    'url(#p) id="q" &amp; \'',
    "long " * 60,
    "unbroken" * 40,
    "任务\nzwei",
)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("+", "").replace(" %", "").replace(",", ""))


def mean_auc(records, method, fraction=0.1):
    """Seed → mean test ROC-AUC over the tasks, straight from the records."""
    runs = [
        record
        for record in records
        if record["settings"]["method"] == method and record["settings"]["fraction"] == fraction
    ]
    return {
        record["settings"]["seed"]: statistics.fmean(
            task["roc_auc"] for task in record["metrics"]["test"].values()
        )
        for record in runs
    }


def paired_interval(own, base):
    """Mean difference and its 95 % t-interval, by SciPy's own paired test."""
    interval = stats.ttest_rel(
        list(own.values()), [base[seed] for seed in own]
    ).confidence_interval(0.95)
    return statistics.fmean(own[seed] - base[seed] for seed in own), interval.low, interval.high


def test_leaderboard_holds_what_follows_from_the_records(tmp_path, page_of):
    records = write_sample(tmp_path, Sample())
    rows = {
        row[0]: row[1:]
        for row in page_of(Sample()).table("method", "gain [95 % interval]", "ROC-AUC")
    }
    base = mean_auc(records, "independent")
    for method in {"tied", "last-axis-flattening", "tucker", "tensor-train"}:
        own = mean_auc(records, method)
        gain, score, _, _, parameters, *_ = rows[method]
        told = [number(part) for part in re.findall(r"[+−]?[\d.]+", gain)]
        digits = len(gain.split()[0].split(".")[1])
        assert digits >= 3
        assert told == pytest.approx(paired_interval(own, base), abs=0.51 * 10**-digits)
        mean, std = (number(part) for part in score.split(" ± "))
        assert mean == pytest.approx(statistics.fmean(own.values()), abs=0.51 * 10**-digits)
        assert std == pytest.approx(statistics.stdev(own.values()), abs=0.51 * 10**-digits)
        size = next(
            record["parameters"] for record in records if record["settings"]["method"] == method
        )
        assert parameters == f"{size:,} ({size / 86_500:.2f}×)"
    assert rows["independent"][0] == "reference"


def test_leaderboard_goes_from_the_greatest_gain_to_the_least(page_of):
    rows = page_of(Sample()).table("method", "gain [95 % interval]")
    gains = [0.0 if row[1] == "reference" else number(row[1].split()[0]) for row in rows]
    assert gains == sorted(gains, reverse=True)
    assert len(rows) == 5


def test_each_task_has_its_gain_with_each_method(tmp_path, page_of):
    records = write_sample(tmp_path, Sample())
    page = page_of(Sample())
    heads = next(rows[0] for rows in page.tables if rows[0][:3] == ["task", "metric", "apart"])
    rows = {
        row[0]: dict(zip(heads, row, strict=True)) for row in page.table("task", "metric", "apart")
    }
    assert set(rows) == {f"digit {digit}" for digit in range(10)}
    value = {
        (r["settings"]["method"], r["settings"]["seed"], t): m["roc_auc"]
        for r in records
        for t, m in r["metrics"]["test"].items()
    }
    for task, row in rows.items():
        for method in heads[3:]:
            own, base = (
                {seed: value[name, seed, task] for seed in range(5)}
                for name in (method, "independent")
            )
            told = [number(part) for part in re.findall(r"[+−]?[\d.]+", row[method])]
            gain, low, high = paired_interval(own, base)
            assert told[0] == pytest.approx(gain, abs=0.00051)
            # the tasks' variances are drawn together: no wider than twice a task's own interval
            assert told[2] - told[1] < 2 * (high - low) + 0.01


def test_tasks_helped_and_hurt_are_counted_and_the_hurt_ones_named(page_of):
    page = page_of(Sample())
    rows = {row[0]: row for row in page.table("method", "gain [95 % interval]")}
    assert rows["tied"][4] == "1"
    assert rows["tucker"][4] == "0"
    assert rows["independent"][3:5] == ["–", "–"]
    captions = page.of("figcaption")
    assert [
        caption for caption in captions if re.search(r"Hurts 1: digit 8 \(−0\.0\d+\)\.", caption)
    ]
    assert sum("No task is shown to be hurt." in caption for caption in captions) == 3


def test_the_answer_is_the_heading_and_the_cautions_stand_below(tmp_path, page_of):
    records = write_sample(tmp_path, Sample())
    page = page_of(Sample())
    first, *beside = answer_in_parts(records)
    assert page.of("h1") == [first]
    assert all(sentence in page.text for sentence in beside)
    for caution in cautions(records):
        assert caution in page.text


def test_the_page_needs_nothing_but_itself(page_of):
    page = page_of(Sample(fractions=(0.1, 0.5)))
    assert all(
        source.startswith(("#", "data:"))
        for name in ("src", "href", "xlink:href", "srcset", "data", "action")
        for source in page.attributes(name)
    )
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not re.search(r"https?:|@import|url\((?!#)", page.html)
    (policy,) = [
        attributes["content"]
        for tag, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    assert len(page.html) < 400_000


def test_every_reference_within_the_page_has_its_one_target(page_of):
    page = page_of(Sample())
    ids = page.attributes("id")
    used = [target[1:] for target in page.attributes("href") if target.startswith("#")]
    used += re.findall(r"url\(#([^)]+)\)", page.html) + page.attributes("aria-labelledby")
    assert used
    assert len(ids) == len(set(ids))
    assert set(used) <= set(ids)


def test_colours_come_from_the_theme(page_of):
    page = page_of(Sample())
    drawn = page.html[page.html.index("<svg") :]
    assert "var(--series-1)" in drawn
    assert not re.findall(r"(?:fill|stroke|stop-color): ?#\w+", drawn)
    assert "prefers-color-scheme: dark" in page.html


def test_figures_and_tables_speak_to_those_who_do_not_see_them(page_of):
    page = page_of(Sample())
    images = [attributes for tag, attributes in page.tags if attributes.get("role") == "img"]
    assert (
        len(images)
        == sum(tag == "svg" for tag, _ in page.tags)
        == sum(tag == "figcaption" for tag, _ in page.tags)
    )
    assert all(len(attributes["aria-label"]) > 20 for attributes in images)
    assert all(
        attributes.get("scope") in ("row", "col") for tag, attributes in page.tags if tag == "th"
    )
    assert sum(tag == "caption" for tag, _ in page.tags) == len(page.tables)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_the_same_records_give_the_same_bytes(tmp_path):
    write_sample(tmp_path, Sample())
    path = write_report(tmp_path)
    first = path.read_bytes()
    path.unlink()
    assert write_report(tmp_path).read_bytes() == first


def test_names_are_shown_and_never_obeyed(page_of):
    sample = Sample(
        tasks=dict.fromkeys(HOSTILE, "binary"),
        notes=("<img src=http://a.b/c onerror=alert(1)>",),
        harmed={},
    )
    page = page_of(sample, left_out={"pooled": "<i>no</i>"})
    assert not {"script", "b", "i", "img"} & {tag for tag, _ in page.tags}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert {row[0] for row in page.table("task", "metric", "apart")} == set(HOSTILE)
    drawn = "".join(page.of("text"))
    assert HOSTILE[1] in drawn
    assert "#0072b2" in drawn
    assert "任务 zwei" in drawn
    assert "<i>no</i>" in page.text


def test_one_seed_gives_gains_but_no_intervals_and_says_so(page_of):
    page = page_of(Sample(seeds=1))
    rows = page.table("method", "gain [95 % interval]")
    assert all("[" not in row[1] and row[3:5] == ["–", "–"] for row in rows)
    assert "it takes 3 seeds to tell" in page.text
    assert "so few seeds cannot say whether by chance" in page.text
    assert "▲" not in page.text


def test_one_method_alone_has_no_gain_to_show(page_of):
    page = page_of(Sample(methods=("independent",)))
    assert "No gain can be given" in page.text
    assert [row[0] for row in page.table("method", "gain [95 % interval]")] == ["independent"]


def test_without_independent_learning_there_is_no_gain(page_of):
    page = page_of(Sample(methods=("tied", "tucker")))
    assert "No gain can be given" in page.text
    assert {row[1] for row in page.table("method", "gain [95 % interval]")} == {"–"}


def test_one_task_has_nothing_to_be_alike_to(page_of):
    page = page_of(Sample(tasks={"only": "binary"}, methods=("independent", "tied"), harmed={}))
    assert "No pair of tasks is shown to be drawn together more than others" in page.text
    assert "Sharing strength ρ" not in page.text


def test_many_tasks_are_a_histogram_and_the_tasks_at_its_ends(page_of):
    tasks = {f"assay {number:04d}": "regression" for number in range(2000)}
    page = page_of(Sample(tasks=tasks, methods=("independent", "tucker"), seeds=2, scatter=0.02))
    assert "… 1,984 tasks between …" in page.text
    rows = page.table("task", "metric", "apart")
    gains = [number(row[3].split()[0]) for row in rows]
    assert len(rows) == 60
    assert gains == sorted(gains, reverse=True)
    assert sum(name in tasks for name in page.of("text")) == 16
    assert len(page.html) < 300_000


def test_tasks_of_different_metrics_are_compared_by_relative_gains(tmp_path, page_of):
    sample = Sample(tasks={"iris": "multiclass", "price": "regression"}, harmed={})
    records = write_sample(tmp_path, sample)
    rows = {row[0]: row for row in page_of(sample).table("method", "relative gain [95 % interval]")}

    def value(method, seed, task, metric):
        (record,) = [
            r
            for r in records
            if r["settings"]["method"] == method and r["settings"]["seed"] == seed
        ]
        return record["metrics"]["test"][task][metric]

    relative = []
    for seed in range(5):
        accuracy = [value(method, seed, "iris", "accuracy") for method in ("tucker", "independent")]
        rmse = [value(method, seed, "price", "rmse") for method in ("tucker", "independent")]
        relative.append(
            ((accuracy[0] - accuracy[1]) / accuracy[1] + (rmse[1] - rmse[0]) / rmse[1]) / 2
        )
    assert number(rows["tucker"][1].split()[0]) == pytest.approx(
        100 * statistics.fmean(relative), abs=0.051
    )


def test_a_task_without_values_is_named(page_of):
    page = page_of(Sample(missing=("digit 3",)))
    assert "No gain can be given for digit 3:" in page.text


def test_diverged_runs_are_listed_and_counted_out(page_of):
    page = page_of(Sample(diverged=(("tucker", 1), ("tucker", 2))))
    assert "tucker-f0.1-s1: the loss of task 'digit 0' became nan at step 120" in page.text
    assert "tucker (3 of 5 seeds)" in [
        row[0] for row in page.table("method", "gain [95 % interval]")
    ]


def test_a_method_of_which_every_run_diverged_leaves_a_page(page_of):
    page = page_of(
        Sample(
            seeds=2, diverged=[(method, seed) for method in ("tucker", "tied") for seed in range(2)]
        )
    )
    rows = {row[0]: row for row in page.table("method", "gain [95 % interval]")}
    assert rows["tucker (0 of 2 seeds)"][1:4] == ["–", "–", "–"]


def test_runs_that_all_diverged_are_still_told(page_of):
    page = page_of(
        Sample(
            methods=("independent", "tucker"), seeds=1, diverged=(("independent", 0), ("tucker", 0))
        )
    )
    assert "No gain can be given" in page.text
    assert "tucker-f0.1-s0: the loss of task" in page.text


def test_several_fractions_have_a_table_each_and_a_curve(tmp_path, page_of):
    fractions = (0.05, 0.2, 1.0)
    records = write_sample(tmp_path, Sample(fractions=fractions))
    page = page_of(Sample(fractions=fractions))
    boards = [rows[1:] for rows in page.tables if rows[0][:2] == ["method", "gain [95 % interval]"]]
    assert "Gain over the fraction of the training data" in page.of("h3")
    told = sorted(
        number(row[1].split()[0]) for board in boards for row in board if row[0] == "tucker"
    )
    expected = sorted(
        paired_interval(mean_auc(records, "tucker", f), mean_auc(records, "independent", f))[0]
        for f in fractions
    )
    assert told == pytest.approx(expected, abs=0.00051)


def test_ranks_that_vary_over_the_seeds_are_given_from_least_to_greatest(tmp_path):
    write_sample(tmp_path, Sample(seeds=2))
    path = tmp_path / "records" / "tucker-f0.1-s1.json"
    ranks = {"ranks": [18, 30, 7]}
    rewrite(path, lambda record: record["sharing"]["layers"]["layers.0"].update(ranks))
    assert "18–20 × 30 × 5–7" in write_report(tmp_path).read_text()


def test_notes_warnings_methods_left_out_and_the_command_are_told(page_of):
    page = page_of(Sample(), left_out={"pooled": "all tasks see the same rows"})
    assert "pixels were divided by 16" in page.text
    assert (
        "tucker: layer output: parameters exceed those of independent learning (K = T) (5 runs)"
        in page.text
    )
    assert "pooled: all tasks see the same rows" in page.text
    (command,) = [code for code in page.of("code") if code.startswith("softshare compare ")]
    assert command.startswith(
        "softshare compare digits --methods independent last-axis-flattening "
    )
    assert (
        "--train-fraction 0.1 --seeds 5 --steps 1000 --batch-size 64 --hidden 64 64 "
        "--learning-rate 0.001" in command
    )


def test_the_command_holds_the_options_by_which_the_data_were_read(tmp_path):
    write_sample(tmp_path, Sample(seeds=1))
    reading = {
        "task": ["school"],
        "target": ["score", "rank of all"],
        "kinds": {"score": "regression"},
        "group": None,
        "drop": [],
        "drop_small_tasks": True,
        "skip_broken": False,
    }
    for path in (tmp_path / "records").iterdir():
        rewrite(path, lambda record: record.update(reading=reading))
    page = write_report(tmp_path).read_text()
    assert (
        "--task school --target score &#39;rank of all&#39; --kinds score=regression "
        "--drop-small-tasks --steps"
    ) in page
    assert "--group" not in page
    assert "--skip-broken" not in page


def test_the_command_is_one_that_the_command_line_takes(tmp_path):
    """With every setting that a run's record holds."""
    write_sample(tmp_path, Sample(seeds=1))
    for path in (tmp_path / "records").iterdir():
        record = written(path)
        told = {name: record["settings"][name] for name in ("source", "method", "fraction", "seed")}
        record["settings"] = RunSettings(**told, dropout=0.2, weight_decay=2.0).as_json()
        write_record(path.parent, record)
    page = html.unescape(write_report(tmp_path).read_text())
    command = re.search(r"softshare compare [^<]*--methods[^<]*", page)[0]
    words = shlex.split(command)[1:]
    assert {"--dropout", "--weight-decay", "--base", "--steps"} <= set(words)
    app.parse_args(words, exit_on_error=False, print_error=False)


def test_a_table_is_called_without_the_folders_that_it_lies_in(tmp_path):
    write_sample(tmp_path, Sample(seeds=1))
    for path in (tmp_path / "records").iterdir():
        record = written(path)
        record["settings"]["source"] = "/home/anna/very/deep/visits.csv"
        write_record(path.parent, record)
    page = write_report(tmp_path).read_text()
    assert "learning visits.csv together or apart" in page
    assert "softshare compare /home/anna/very/deep/visits.csv" in html.unescape(page)


def test_what_chose_is_told(tmp_path):
    write_sample(tmp_path, Sample(seeds=3))
    assert "chosen on the validation part" in write_report(tmp_path).read_text()
    for path in (tmp_path / "records").iterdir():
        record = written(path)
        for task in record["data"]["tasks"]:
            task["n_validation"] = 0
        write_record(path.parent, record)
    assert "chosen on folds held out of the training part" in write_report(tmp_path).read_text()


def test_a_given_test_part_is_not_called_drawn_anew(tmp_path):
    write_sample(tmp_path, Sample(seeds=3))
    assert "split anew for every seed" in write_report(tmp_path).read_text()
    for path in (tmp_path / "records").iterdir():
        record = written(path)
        record["data"]["test_part"] = "given"
        write_record(path.parent, record)
    page = write_report(tmp_path).read_text()
    assert "anew" not in page
    assert "Other test rows may tell otherwise" in page


def test_a_folder_without_records_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ValueError, match=re.escape(str(tmp_path / "records"))):
        write_report(tmp_path)


def test_names_steer_nothing(tmp_path):
    write_sample(tmp_path, Sample(seeds=3, tasks={"a\x1b[2J": "binary", "b\u202e": "binary"}))
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert r"a\x1b[2J" in page
    assert r"b\u202e" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
