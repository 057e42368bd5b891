"""Arguments are checked together, with near names, before anything runs."""

from __future__ import annotations

import re

import numpy as np
import pytest

from softshare.evaluation.plan import make_plan
from softshare.methods.named import METHODS
from softshare.methods.options import read_options
from softshare.tasks.task_set import TaskSet

SEVERAL_FORMS = {
    "a": (np.zeros((40, 2)), np.arange(40) % 2),
    "b": (np.zeros((40, 3)), np.arange(40) % 3),
}
SAME_ROWS = TaskSet.from_shared_inputs(
    np.zeros((40, 2)), {"a": np.arange(40) % 2, "b": np.arange(40) // 20}
)
OWN_ROWS = TaskSet.from_arrays({name: (np.zeros((40, 2)), np.arange(40) % 2) for name in "ab"})


def plan(
    tasks=OWN_ROWS,
    *,
    methods=None,
    fractions=(1.0,),
    seeds=2,
    workers=None,
    options=None,
    **settings,
):
    given = {"source": "x", **settings}
    return make_plan(
        tasks,
        methods=methods,
        fractions=fractions,
        seeds=seeds,
        workers=workers,
        options=options,
        settings=given,
    )


def test_every_method_that_applies_is_compared_by_default():
    assert {method.name for method in plan().methods} == {
        method.name for method in METHODS if method.default
    }
    assert plan().left_out == {}


def test_a_method_that_cannot_apply_is_left_out_with_its_reason():
    found = plan(SAME_ROWS)
    assert "pooled" not in {method.name for method in found.methods}
    blind = ["pooled-ridge", "boosted", "boosted-on-pooled", "forest"]
    assert list(found.left_out) == ["pooled", *blind]
    assert all("same rows" in reason for reason in found.left_out.values())


def test_more_rows_than_a_method_takes_are_named_with_its_limit() -> None:
    labels = np.arange(3000) % 2
    many = TaskSet.from_arrays({name: (np.zeros((3000, 2)), labels) for name in "ab"})
    limit = "up to 4,000 training examples, not 4,800"
    with pytest.raises(ValueError, match=f"methods: gp: it takes {limit}"):
        plan(many, methods=["gp"])
    assert limit in plan(many, methods=["all"]).left_out["gp"]
    assert plan(many, methods=["gp"], fractions=(0.5,)).methods[-1].name == "gp"


def test_a_method_that_cannot_apply_is_an_error_when_named():
    with pytest.raises(
        ValueError, match=r"methods: pooled cannot apply to these tasks \(.* differ"
    ):
        plan(TaskSet.from_arrays(SEVERAL_FORMS), methods=["pooled", "tied"])


def test_independent_learning_is_always_among_the_methods():
    assert [method.name for method in plan(methods=["tucker", "tied"]).methods] == [
        "independent",
        "tucker",
        "tied",
    ]
    assert [method.name for method in plan(methods=["tucker", "independent"]).methods] == [
        "independent",
        "tucker",
    ]


def test_runs_are_methods_by_fractions_by_seeds_seed_by_seed():
    runs = plan(methods=["tied"], fractions=[0.1, 1], seeds=[7, 3], steps=5).runs()
    assert list(runs) == [
        f"{method}-f{fraction}-s{seed}"
        for seed in (7, 3)
        for fraction in ("0.1", "1")
        for method in ("independent", "tied")
    ]
    assert {settings.steps for settings in runs.values()} == {5}
    assert all(key == settings.key for key, settings in runs.items())


@pytest.mark.parametrize(("arguments", "phrase"), [
    ({"methods": ["tuckr"]}, "methods: no method 'tuckr', did you mean tucker?"),
    ({"methods": ["xyz"]}, "methods: no method 'xyz', choose from independent, pooled"),
    ({"methods": ["tied", "tied"]}, "methods: 'tied' is named more than once"),
    ({"methods": []}, "methods: at least one is needed"),
    ({"fractions": []}, "fractions: at least one is needed"),
    ({"fractions": [0.1, 0.1]}, "fractions: 0.1 is named more than once"),
    ({"fractions": [0.5, 1.5]}, "fraction: input should be less than or equal to 1, got 1.5"),
    ({"seeds": 0}, "seeds: at least one is needed"),
    ({"seeds": [1, 1]}, "seeds: 1 is named more than once"),
    ({"seeds": [-1]}, "seed: input should be greater than or equal to 0, got -1"),
    ({"workers": -1}, "workers: must be 0 (this process) or more, got -1"),
    ({"metric": "auc"}, "metric: no metric 'auc', did you mean roc_auc?"),
    ({"metric": "rmse"},
     "metric: 'rmse' does not apply to binary task 'a'; choose from roc_auc, accuracy, "
     "balanced_error, f1, macro_f1, average_precision, log_loss, brier, ece, loss"),
    ({"steps": 0}, "steps: input should be greater than 0, got 0"),
    ({"options": {"tuckr": {"ranks": 1}}}, "options: no method 'tuckr', did you mean tucker?"),
    ({"options": {"tensor-ring": {"shared": 1}}},
     "options: tensor-ring is not among the methods that are compared"),
    ({"options": {"tied": {"ranks": 1}}}, "options: tied has no options, got 'ranks'"),
    ({"options": {"tucker": {"rank": 1}}}, "options: tucker: no option 'rank', did you mean ranks"),
    ({"options": {"tucker": {"ranks": "cv"}}},
     "options: tucker.ranks must be a number, such as 1.0, got 'cv'"),
    ({"options": {"tucker": {"apart": float("nan")}}},
     "options: tucker.apart must be a number, such as 0.0, got nan"),
    ({"methods": ["trace-norm-tt"], "options": {"trace-norm-tt": {"every": 2.5}}},
     "options: trace-norm-tt.every must be a whole number, such as 1, got 2.5"),
    ({"methods": ["tensor-ring"], "options": {"tensor-ring": {"shared": "best"}}},
     "options: tensor-ring.shared must be a whole number or 'cv', such as 2, got 'best'"),
    ({"methods": ["tied-wide"], "options": {"tied-wide": {"as_many_as": 3}}},
     "options: tied-wide.as_many_as must be text, such as 'tensor-train', got 3"),
])  # fmt: skip
def test_a_wrong_argument_is_named_with_its_value_and_the_remedy(arguments, phrase):
    with pytest.raises(ValueError, match=f"^{re.escape(phrase)}"):
        plan(**arguments)


def test_a_search_without_optuna_says_what_to_install(monkeypatch):
    monkeypatch.setattr("softshare.evaluation.arguments.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"search: needs Optuna, install softshare\[search\]"):
        plan(trials=3)


def test_a_task_that_would_be_mistaken_for_all_tasks_is_an_error():
    with pytest.raises(ValueError, match="a task is named 'ALL'"):
        plan(TaskSet.from_arrays({"ALL": (np.zeros((40, 2)), np.arange(40) % 2)}))


def test_tasks_whose_names_are_told_alike_are_an_error():
    rows = (np.zeros((40, 2)), np.arange(40) % 2)
    names = [("a / b", "c"), ("a", "b / c"), ("a", "b")]
    with pytest.raises(ValueError, match=r"^tasks: 2 tasks are called 'a / b / c', .* rename"):
        plan(TaskSet.from_arrays(dict.fromkeys(names, rows)))


def images_of(*sides):
    return TaskSet.from_arrays(
        {
            f"task {side}": (np.zeros((4, 1, side, side), dtype=np.float32), np.arange(4) % 2)
            for side in sides
        }
    )


@pytest.mark.parametrize(
    ("sides", "steps", "batch_size"),
    [((2,), 1000, 64), ((28,), 1000, 16), ((105,), 300, 16), ((105, 28), 300, 16)],
)
def test_images_have_a_smaller_budget_by_default(sides, steps, batch_size):
    common = plan(images_of(*sides)).common
    assert (common.steps, common.batch_size) == (steps, batch_size)


def test_a_budget_that_is_given_is_kept():
    common = plan(images_of(105), steps=7, batch_size=None).common
    assert (common.steps, common.batch_size) == (7, 16)


def grid_of(names):
    return TaskSet.from_arrays({name: (np.zeros((40, 2)), np.arange(40) % 2) for name in names})


def test_an_incomplete_grid_of_tasks_leaves_out_what_folds_weights_into_it():
    names = [(aspect, customer) for aspect in ("food", "service") for customer in "xyz"]
    assert plan(grid_of(names)).left_out == {}
    found = plan(grid_of(names[:5]), methods=["all"])
    assert set(found.left_out) == {"tucker", "tensor-train", "trace-norm-tucker", "trace-norm-tt"}
    assert (
        "of the 6 combinations of the tasks' factors only 5 have a task" in found.left_out["tucker"]
    )


def test_names_that_span_no_grid_leave_out_what_needs_one():
    found = plan(grid_of([("food", "x"), "y"]), methods=["all"])
    assert set(found.left_out) == {"tucker", "tensor-train", "trace-norm-tucker", "trace-norm-tt"}
    assert "('food', 'x') and 'y' do not go together" in found.left_out["tucker"]


def test_options_go_to_the_runs_of_their_method():
    given = {"tensor-ring": {"shared": "cv", "cores": 2}, "tucker": {"task_rank": 2}}
    runs = plan(methods=["tensor-ring", "tucker", "tied"], options=given).runs()
    assert {settings.method: dict(settings.method_options) for settings in runs.values()} == {
        "independent": {},
        "tied": {},
        **given,
    }


def test_options_are_read_from_texts():
    texts = [
        "tensor-ring.shared=02",
        "tensor-ring.cores=3",
        "trace-norm-tt.gamma=1e-3",
        "tied-wide.as_many_as=tucker",
        "tucker.ranks=1.0",
    ]
    options, wrong = read_options([*texts, "tucker.ranks", "ranks=1"])
    assert options == {
        "tensor-ring": {"shared": "02", "cores": 3},
        "trace-norm-tt": {"gamma": 0.001},
        "tied-wide": {"as_many_as": "tucker"},
        "tucker": {"ranks": 1.0},
    }
    assert [
        type(options[method][name])
        for method, name in (("tensor-ring", "cores"), ("tucker", "ranks"))
    ] == [int, float]
    assert wrong == [
        ("options", f"expected METHOD.NAME=VALUE, such as tensor-ring.shared=cv, got {text!r}")
        for text in ("tucker.ranks", "ranks=1")
    ]
