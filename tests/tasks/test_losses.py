"""Losses against PyTorch's own on each task's rows alone."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from softshare.tasks.batches import Batch
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task import Task

TASKS = (
    Task("b", "binary"),
    Task("m3", "multiclass", 3),
    Task("r", "regression"),
    Task("m2", "multiclass", 2),
)


def mixed_batch() -> tuple[torch.Tensor, Batch]:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(4, 6, 3, generator=generator, requires_grad=True)
    targets = torch.stack(
        [torch.randint(high, (6,), generator=generator).float() for high in (2, 3, 5, 2)]
    )
    return outputs, Batch(torch.arange(4), torch.zeros(4, 6, 1), targets)


def expected(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.stack(
        [
            functional.binary_cross_entropy_with_logits(outputs[0, :, 0], targets[0]),
            functional.cross_entropy(outputs[1], targets[1].long()),
            functional.mse_loss(outputs[2, :, 0], targets[2]),
            functional.cross_entropy(outputs[3, :, :2], targets[3].long()),
        ]
    )


def test_every_kind_equals_torchs_loss() -> None:
    outputs, batch = mixed_batch()
    torch.testing.assert_close(TaskLosses(TASKS)(outputs, batch), expected(outputs, batch.targets))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.bfloat16, 0.05)])
def test_outputs_in_another_precision_than_the_targets(
    dtype: torch.dtype, tolerance: float
) -> None:
    outputs, batch = mixed_batch()
    losses = TaskLosses(TASKS)(outputs.to(dtype), batch)
    torch.testing.assert_close(
        losses.float(), expected(outputs, batch.targets), rtol=tolerance, atol=tolerance
    )


def test_outputs_beyond_a_tasks_width_get_no_gradient() -> None:
    outputs, batch = mixed_batch()
    (gradient,) = torch.autograd.grad(TaskLosses(TASKS)(outputs, batch).sum(), outputs)
    assert gradient.isfinite().all()
    assert not gradient[0, :, 1:].any()
    assert not gradient[3, :, 2:].any()
    assert gradient[3, :, :2].any()


def test_missing_labels_cost_nothing_and_teach_nothing() -> None:
    outputs, batch = mixed_batch()
    present = torch.tensor(
        [[True] * 6, [True, True, False, False, True, False], [True] * 6, [False] * 6]
    )
    losses = TaskLosses(TASKS)(outputs, Batch(batch.tasks, batch.inputs, batch.targets, present))
    kept = present[1]
    torch.testing.assert_close(
        losses[1], functional.cross_entropy(outputs[1, kept], batch.targets[1, kept].long())
    )
    assert losses[3] == 0
    (gradient,) = torch.autograd.grad(losses.sum(), outputs)
    assert not gradient[1, ~kept].any()
    assert not gradient[3].any()


def test_hinge_is_zero_beyond_the_margin_and_one_at_the_boundary() -> None:
    outputs = torch.tensor([[[2.0], [0.0], [-3.0], [0.5]]])
    batch = Batch(torch.tensor([0]), torch.zeros(1, 4, 1), torch.tensor([[1.0, 0.0, 1.0, 0.0]]))
    losses = TaskLosses(TASKS, binary="hinge")(outputs, batch)
    torch.testing.assert_close(losses, torch.tensor([(0 + 1 + 4 + 1.5) / 4]))


def test_a_subset_of_tasks_uses_its_own_kinds() -> None:
    outputs, batch = mixed_batch()
    chosen = torch.tensor([2, 0])
    subset = Batch(chosen, batch.inputs[chosen], batch.targets[chosen])
    torch.testing.assert_close(
        TaskLosses(TASKS)(outputs[chosen], subset), expected(outputs, batch.targets)[chosen]
    )


def test_an_unknown_binary_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="'logistic' or 'hinge'"):
        TaskLosses(TASKS, binary="squared")  # type: ignore[arg-type]
