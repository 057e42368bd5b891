"""Where initial values come from."""

from __future__ import annotations

import torch

from softshare.sharing.random_streams import RandomStreams


def test_a_tasks_values_do_not_depend_on_the_other_tasks() -> None:
    alone = RandomStreams(0, ["b"]).normal_by_task("layer", (3, 4))
    together = RandomStreams(0, ["a", "b", "c"]).normal_by_task("layer", (3, 4))
    assert torch.equal(alone[0], together[1])


def test_every_seed_label_and_task_has_values_of_its_own() -> None:
    rows = [
        RandomStreams(seed, ["a", 1, "1"]).normal_by_task(label, (4,))
        for seed in (0, 1)
        for label in ("first", "second")
    ]
    assert len(torch.cat(rows).unique(dim=0)) == 12


def test_values_are_standard_normal() -> None:
    values = RandomStreams(0, range(500)).normal_by_task("layer", (40,))
    assert abs(values.mean().item()) < 0.03
    assert abs(values.std().item() - 1) < 0.03
    assert abs(torch.corrcoef(values)[0, 1:].mean().item()) < 0.03


def test_drawing_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    RandomStreams(0, ["a"]).normal_by_task("layer", (3,))
    RandomStreams(0, ["a"]).normal("layer", (3,))
    assert torch.equal(torch.get_rng_state(), before)
