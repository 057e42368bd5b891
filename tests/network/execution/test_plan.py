"""The table of how layers run."""

from __future__ import annotations

from softshare.network.execution.plan import Decision, ExecutionPlan


def test_what_a_layer_does_several_times_is_added_up() -> None:
    plan = ExecutionPlan(
        [
            Decision("core", "product", 10, 3),
            Decision("output", "product", 1),
            Decision("core", "product", 20, 4),
            Decision("core", "composed", 5),
        ]
    )
    assert [decision.layer for decision in plan] == ["core", "output", "core"]
    assert plan[0] == Decision("core", "product (2 times)", 30, 7)
    assert plan[1] == Decision("output", "product", 1)


def test_a_plan_prints_as_a_table() -> None:
    plan = ExecutionPlan(
        [
            Decision("a", "one product", 1200, 34),
            Decision("longer", "task by task", 0, 0, "vmap: 5"),
        ]
    )
    assert str(plan).splitlines() == [
        "layer   multiply-adds  elements  way           instead of",
        "a               1,200        34  one product",
        "longer                           task by task  vmap: 5",
    ]
