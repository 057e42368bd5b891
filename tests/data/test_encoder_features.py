"""Features of a frozen encoder: what it gives, run once per example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softshare.data.encoder_features import encoder_features
from softshare.tasks.task_set import TaskSet, take


class Counted(nn.Module):
    """Two channel means, weighted; counts the examples that it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.dropout, self.seen = nn.Linear(2, 3), nn.Dropout(0.9), 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return self.dropout(self.layer(images.mean((2, 3)))).unflatten(1, (3, 1))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path))


def made_tasks(first: int = 0) -> TaskSet:
    images = np.random.default_rng(0).integers(0, 256, (20, 2, 4, 4), dtype=np.uint8)
    images[0, 0, 0, 0] = first
    return TaskSet.from_task_column(images, np.arange(20) % 2, np.repeat(["a", "b"], 10))


@pytest.mark.parametrize("in_memory", [False, True])
def test_features_are_the_encoders_outputs(in_memory: bool) -> None:
    tasks, encoder = made_tasks(), Counted().train()
    features = encoder_features(tasks, encoder, batch_size=7, in_memory=in_memory)
    assert encoder.training
    expected = encoder.eval()(take(tasks.sources[0], np.arange(20)) / 255).flatten(1)
    torch.testing.assert_close(take(features.sources[0], np.arange(20)), expected.detach())
    assert features.tasks == tasks.tasks
    train, _, _ = features.split(seed=0)
    inputs = torch.cat([train.examples(0)[0], train.examples(1)[0]])
    assert inputs.mean(0).abs().max() < 1e-5
    assert list(inputs.std(0, correction=0)) == pytest.approx([1.0] * 3, abs=1e-4)


def test_an_encoder_runs_once_per_example_until_it_or_the_data_change() -> None:
    encoder = Counted()
    first = encoder_features(made_tasks(), encoder)
    assert encoder.seen == 20
    again = encoder_features(made_tasks(), encoder)
    assert encoder.seen == 20
    assert np.array_equal(np.asarray(first.sources[0]), np.asarray(again.sources[0]))
    encoder_features(made_tasks(first=255), encoder)
    assert encoder.seen == 40
    with torch.no_grad():
        encoder.layer.bias += 1
    encoder_features(made_tasks(), encoder)
    assert encoder.seen == 60


def test_what_has_no_features_is_refused(tmp_path: Path) -> None:
    class Pair(nn.Module):
        def forward(self, images: Tensor) -> Any:
            return images, images

    with pytest.raises(TypeError, match="must return a tensor, got tuple"):
        encoder_features(made_tasks(), Pair())
    assert not [path for path in tmp_path.iterdir() if path.is_file() or any(path.iterdir())]
    with pytest.raises(ValueError, match="before split"):
        encoder_features(replace(made_tasks().split(seed=0)[0]), Counted())
