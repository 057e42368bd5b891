"""Features of a frozen encoder: what it gives, run once per example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from softshare.data.encoder_features import encoder_features
from softshare.tasks.task_set import TaskSet, take

TRIED = 8  # inputs that an encoder is known by


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
    assert encoder.seen == TRIED + 20
    again = encoder_features(made_tasks(), encoder)
    assert encoder.seen == 2 * TRIED + 20
    assert np.array_equal(np.asarray(first.sources[0]), np.asarray(again.sources[0]))
    encoder_features(made_tasks(first=255), encoder)
    assert encoder.seen == 3 * TRIED + 40
    with torch.no_grad():
        encoder.layer.bias += 1
    encoder_features(made_tasks(), encoder)
    assert encoder.seen == 4 * TRIED + 60


class Scaling(nn.Module):
    """Multiplies by a number that no state dict holds."""

    def __init__(self, scale: float, *, as_buffer: bool) -> None:
        super().__init__()
        if as_buffer:
            self.register_buffer("scale", torch.tensor(scale), persistent=False)
        else:
            self.scale = scale

    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images


@pytest.mark.parametrize("as_buffer", [True, False])
def test_encoders_that_differ_in_what_no_state_holds_have_features_of_their_own(
    as_buffer: bool,
) -> None:
    once, hundredfold = (
        np.asarray(encoder_features(made_tasks(), Scaling(scale, as_buffer=as_buffer)).sources[0])
        for scale in (1.0, 100.0)
    )
    np.testing.assert_allclose(hundredfold, 100 * once, rtol=1e-5)


def test_encoders_of_one_name_and_different_code_have_features_of_their_own() -> None:
    def made(power: int) -> nn.Module:
        class Power(nn.Module):
            def forward(self, images: Tensor) -> Tensor:
                return images**power

        return Power()

    once, squared = (
        np.asarray(encoder_features(made_tasks(), made(power)).sources[0]) for power in (1, 2)
    )
    np.testing.assert_allclose(squared, once**2, rtol=1e-5)


def test_what_has_no_features_is_refused(tmp_path: Path) -> None:
    class Pair(nn.Module):
        def forward(self, images: Tensor) -> Any:
            return images, images

    with pytest.raises(TypeError, match="must return a tensor, got tuple"):
        encoder_features(made_tasks(), Pair())
    assert not [path for path in tmp_path.iterdir() if path.is_file() or any(path.iterdir())]
    with pytest.raises(ValueError, match="before split"):
        encoder_features(replace(made_tasks().split(seed=0)[0]), Counted())
    table = TaskSet.from_shared_inputs(pd.DataFrame({"x": [1.0, 2.0]}), {"y": [0.5, 1.5]})
    with pytest.raises(ValueError, match="columns of a table; hand them in as an array"):
        encoder_features(table, Counted())
