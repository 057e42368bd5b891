"""Fixed orders: whose they are, and that nothing else is taken for one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from softshare.sharing.base import LayerShapes
from softshare.sharing.fixed_order import FixedOrder
from softshare.sharing.random_streams import RandomStreams

NAMES = ("a", "b", "c", "d", "e", "f")


def orders(
    names: tuple[str, ...],
    *,
    order: str = "permuted",
    seed: int = 0,
    layer: str = "core.scales",
    depth: int = 5,
    everyone: tuple[str, ...] | None = None,
) -> Tensor:
    streams = RandomStreams(seed, names, everyone=everyone)
    sharing = FixedOrder(order)  # type: ignore[arg-type]
    weight = sharing.draw({layer: LayerShapes(((depth, depth),))}, streams)[layer]
    assert not any(parameter.requires_grad for parameter in weight.parameters())
    assert set(weight.stacked().unique().tolist()) == {-1000.0, 1000.0}
    return weight.stacked().argmax(-1)


def test_parallel_is_the_same_for_all() -> None:
    assert torch.equal(orders(NAMES, order="parallel"), torch.arange(5).expand(6, 5))


def test_permutations_depend_on_the_tasks_names_and_the_seed_only() -> None:
    drawn = orders(NAMES)
    assert torch.equal(drawn.sort(-1).values, torch.arange(5).expand(6, 5))
    assert torch.equal(orders(NAMES[::-1]).flip(0), drawn)
    assert torch.equal(orders(("c", "a"), everyone=NAMES), drawn[[2, 0]])
    assert not torch.equal(orders(NAMES, seed=1), drawn)
    assert not torch.equal(orders(NAMES, layer="other"), drawn)


@pytest.mark.parametrize("seed", range(8))
def test_no_two_tasks_have_one_order_while_others_are_left(seed: int) -> None:
    two = orders(("a", "b"), depth=2, seed=seed)
    assert sorted(two.tolist()) == [[0, 1], [1, 0]]
    six = orders(NAMES, depth=3, seed=seed)
    assert len(six.unique(dim=0)) == 6
    # Five tasks to two orders: three and two, never more.
    five = orders(NAMES[:5], depth=2, seed=seed)
    counts = five.unique(dim=0, return_counts=True)[1]
    assert sorted(counts.tolist()) == [2, 3]


def test_every_order_is_as_likely_for_a_task() -> None:
    firsts = torch.cat([orders(("a", "b"), depth=2, seed=seed)[:1] for seed in range(200)])
    n_parallel = int((firsts[:, 0] == 0).sum())
    assert 70 <= n_parallel <= 130  # a fair coin's 100, within 4.2 standard deviations


def test_sharing_learned_scales_keeps_the_permutation_of_the_greatest_product() -> None:
    scales = torch.tensor(
        [[[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]]], dtype=torch.float64
    )
    # Each row's greatest would take layer 0 twice; of all permutations (0, 1, 2) has the product
    # .144, (1, 0, 2) .09.
    weight = FixedOrder("permuted").share({"s": scales.log()})["s"]
    assert weight.stacked().argmax(-1).tolist() == [[0, 1, 2]]
    assert weight.stacked().dtype == torch.float64
    scales = torch.tensor([[[0.5, 0.45, 0.05], [0.6, 0.1, 0.3], [0.2, 0.2, 0.6]]])
    assert FixedOrder("permuted").share({"s": scales.log()})["s"].stacked().argmax(-1).tolist() == [
        [1, 0, 2]
    ]
    assert FixedOrder("parallel").share({"s": scales.log()})["s"].stacked().argmax(-1).tolist() == [
        [0, 1, 2]
    ]


def test_what_is_no_table_of_scales_is_refused() -> None:
    streams = RandomStreams(0, NAMES)
    with pytest.raises(
        ValueError,
        match=r"layer 'core\.scales': .* as many depths as layers, got scales of shape \(4, 3\)",
    ):
        FixedOrder().draw({"core.scales": LayerShapes(((4, 3),))}, streams)
    with pytest.raises(ValueError, match="all equal"):
        FixedOrder("permuted").share({"core.scales": torch.zeros(6, 3, 3)})
    with pytest.raises(ValueError, match="order must be 'parallel' or 'permuted', got 'soft'"):
        FixedOrder("soft")  # type: ignore[arg-type]


def test_a_new_task_takes_the_parallel_order_and_none_that_was_drawn() -> None:
    parallel = (
        FixedOrder("parallel")
        .draw({"s": LayerShapes(((3, 3),))}, RandomStreams(0, NAMES))["s"]
        .double()
    )
    extended = parallel.with_task(torch.zeros(3, 3))
    assert torch.equal(extended.stacked().argmax(-1), torch.arange(3).expand(7, 3))
    assert extended.stacked().dtype == torch.float64
    assert not any(parameter.requires_grad for parameter in extended.parameters())
    for names in (NAMES, NAMES[:1]):  # a single task's order is drawn as well
        permuted = FixedOrder("permuted").draw(
            {"s": LayerShapes(((3, 3),))}, RandomStreams(0, names)
        )["s"]
        with pytest.raises(ValueError, match="drawn at the start"):
            permuted.with_task(torch.zeros(3, 3))
