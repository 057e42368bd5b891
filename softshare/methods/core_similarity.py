"""Which cores of a tensor ring tasks can share: those to whose perturbation their losses respond
alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import root_mean_square
from softshare.sharing.weights.core import Core
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training.recorder import mean_losses


@torch.no_grad()
def core_similarity(
    network: MultiTaskNetwork,
    tasks: TaskSet,
    *,
    noise: float = 0.1,
    n_draws: int = 30,
    seed: int = 0,
) -> dict[str, list[np.ndarray]]:
    """How alike the tasks' losses respond when a core is perturbed by the same noise in each task.

    A ring's bonds can be rotated without any change to the weight, so cores of tasks that started
    apart cannot be
    compared: train with ``TensorRing(..., shared=0, common_start=True)`` first.

    Args:
        network: a trained network; it is left as it was.
        tasks: the examples on which the losses are measured, of the training part: the network's
            tasks or some of them.
        noise: standard deviation of the noise, relative to the core's root mean square.
        n_draws: how many perturbations of each core.
        seed: of the noise.

    Returns:
        For every layer that is a tensor ring, for every core from the left, the correlations of the
        tasks' responses ``(T, T)`` in the set's order: nan for tasks in which the core's modes
        differ or that have no such core.

    Raises:
        ValueError: no layer is a tensor ring.
        KeyError: the network has no such task.
    """
    rings = {layer: weight for layer, weight in network.layers.items() if weight.ring_cores()}
    if not rings:
        raise ValueError(
            f"core_similarity: no layer is a tensor ring; the layers are {network.sharing}"
        )
    losses, numbers = TaskLosses(tasks.tasks), network.numbers(tasks.tasks).tolist()
    before = mean_losses(network, tasks, losses)
    result = {}
    for layer, weight in rings.items():
        cores = weight.ring_cores()
        similarities = [
            np.full((len(tasks), len(tasks)), np.nan)
            for _ in range(1 + max(core.number for core in cores))
        ]
        for core in cores:
            generator = torch.Generator().manual_seed(seed)
            responses = []
            for _ in range(n_draws):
                kept = _perturb(core, noise, generator)
                responses.append(mean_losses(network, tasks, losses) - before)
                _restore(core, kept)
            having = [place for place, number in enumerate(numbers) if number in core.tasks]
            similarities[core.number][np.ix_(having, having)] = _correlations(
                torch.stack(responses)[:, having]
            )
        result[layer] = similarities
    return result


def similar_cores(
    similarity: Mapping[str, list[np.ndarray]], *, threshold: float = 0.5
) -> dict[str, tuple[int, ...]]:
    """The cores to share: those of which every two tasks that can share them respond alike.

    The paper shares a core among the pairs above the threshold. A ring's core is one for all tasks
    or each task's own, so the least pair decides here: where some tasks alone respond alike,
    :func:`core_similarity` says which.

    Args:
        similarity: what :func:`core_similarity` measured.
        threshold: the least correlation of a pair.

    Returns:
        Layer → numbers of its cores, for ``TensorRing(shared=...)``.
    """
    return {
        layer: tuple(
            number for number, of_tasks in enumerate(cores) if _least(of_tasks) >= threshold
        )
        for layer, cores in similarity.items()
    }


def _perturb(core: Core, noise: float, generator: torch.Generator) -> list[Tensor]:
    """Add the same noise in every task; returns the values before."""
    kept = [parameter.detach().clone() for parameter in core.parameters]
    shape = kept[0].shape[1:] if core.is_own else kept[0].shape
    drawn = torch.randn(shape, generator=generator).to(kept[0])
    size = root_mean_square(torch.cat(kept))
    for parameter in core.parameters:
        parameter.add_(noise * size * drawn)
    return kept


def _restore(core: Core, kept: Sequence[Tensor]) -> None:
    """Put back the values before."""
    for parameter, values in zip(core.parameters, kept, strict=True):
        parameter.copy_(values)


def _correlations(responses: Tensor) -> np.ndarray:
    """``(draws, T)`` → ``(T, T)``; 0 for a task that does not respond."""
    centred = responses.double() - responses.double().mean(0)
    scaled = centred / centred.norm(dim=0).clamp_min(torch.finfo(torch.float64).tiny)
    return (scaled.T @ scaled).numpy()


def _least(similarity: np.ndarray) -> float:
    """The least correlation of two tasks, -1 where no two tasks can be compared."""
    pairs = similarity[np.triu_indices(len(similarity), k=1)]
    return float(np.nanmin(pairs)) if np.isfinite(pairs).any() else -1.0
