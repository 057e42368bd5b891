"""Square roots of the losses' second derivatives, against automatic ones."""

from __future__ import annotations

import torch
from torch.nn import functional
from torch.testing import assert_close

from softshare.tasks.curvature import MOST_COLUMNS, curvature_roots
from softshare.tasks.task import Task


def test_roots_of_classes_are_those_of_the_hessian() -> None:
    outputs = torch.randn(1, 5, 4, dtype=torch.float64)
    roots = curvature_roots(outputs, [Task("a", "multiclass", 4)], torch.ones(1))
    found = torch.einsum("ckbw,ckbv->bwv", roots, roots)
    for row, own in zip(outputs[0], found, strict=True):
        target = torch.tensor(2)
        hessian = torch.autograd.functional.hessian(
            lambda values, target=target: functional.cross_entropy(values, target), row
        )
        assert_close(own, hessian)


def test_two_classes_and_numbers_have_their_own() -> None:
    outputs = torch.randn(2, 5, 3, dtype=torch.float64)
    tasks = [Task("a", "binary"), Task("b", "regression")]
    roots = curvature_roots(outputs, tasks, torch.tensor([1.0, 0.5]))
    chance = outputs[0, :, 0].sigmoid()
    assert_close(roots[0, 0, :, 0].square(), chance * (1 - chance))
    assert_close(roots[0, 1, :, 0].square(), torch.full((5,), 4.0, dtype=torch.float64))
    assert not roots[:, :, :, 1:].any()


def test_many_classes_are_mixed_without_bias() -> None:
    torch.manual_seed(0)
    outputs = torch.randn(1, 1, 20, dtype=torch.float64)
    total = torch.zeros(20, 20, dtype=torch.float64)
    for _ in range(400):
        roots = curvature_roots(outputs, [Task("a", "multiclass", 20)], torch.ones(1))
        assert len(roots) == MOST_COLUMNS
        total += torch.einsum("ckbw,ckbv->wv", roots, roots) / 400
    chances = outputs[0, 0].softmax(-1)
    assert_close(total, chances.diag() - chances.outer(chances), atol=5e-3, rtol=0.1)
