"""Networks that begin with an encoder: its values, its own learning rate, and how often it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates.pretrained import Pooled, transformers_encoder, with_encoder
from softshare.sharing.independent import Independent
from softshare.sharing.pretrained import Pretrained
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

TIED = {"encoder.*": Tied(bias="tied"), "*": Independent()}


class Attending(nn.Module):
    """An encoder that is no chain of layers, with parameters of its own, a batch norm and a count
    of its runs.
    """

    runs: list[int] = []  # noqa: RUF012 - of all copies

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 6))
        self.layer = nn.Linear(6, 6)
        self.norm = nn.BatchNorm1d(6)
        self.norm.running_mean.fill_(0.7)

    def forward(self, rows: Tensor) -> dict[str, Tensor] | Tensor:
        Attending.runs.append(len(rows))
        weights = torch.softmax(rows @ self.query.T, dim=1)
        return torch.tanh(self.norm((weights * self.layer(rows)).sum(1)))


def made_tasks(shape: tuple[int, ...] = (5, 6), names: str = "abc") -> TaskSet:
    random = np.random.default_rng(0)
    return TaskSet.from_arrays(
        {
            name: (random.normal(size=(9, *shape)).astype(np.float32), np.arange(9) % 2)
            for name in names
        }
    )


@pytest.mark.parametrize("sharing", [TIED, Independent()], ids=["tied", "apart"])
def test_outputs_are_the_heads_of_the_encoders_outputs(sharing: Any) -> None:
    encoder, tasks = Attending(), made_tasks()
    network = MultiTaskNetwork(
        with_encoder(encoder, hidden=(4,)), tasks, sharing=sharing, initial="common"
    )
    encoder.eval()
    for number, outputs in enumerate(predict(network, tasks)):
        alone = network.task(tasks.names[number])
        inputs = tasks.examples(number)[0]
        torch.testing.assert_close(outputs, alone.head(encoder(inputs)))
        torch.testing.assert_close(outputs, alone.eval()(inputs))


def test_a_tied_encoder_runs_once_on_the_rows_of_all_tasks_and_keeps_its_statistics() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(with_encoder(Attending()), tasks, sharing=TIED, initial="common")
    Attending.runs.clear()
    fit(network, tasks, steps=2, batch_size=4)
    assert Attending.runs == [12, 12]
    buffers = {
        name: value
        for name, value in network.named_buffers()
        if "buffer" in name and value.is_floating_point()
    }
    assert any((value == 0.7).all() for value in buffers.values())


def test_an_encoder_has_a_rate_of_its_own_or_none() -> None:
    tasks, encoder = made_tasks(), Attending()
    for rates, frozen in (({"encoder.*": 0.0}, False), ({"encoder.*": 1e-3}, False), ({}, True)):
        network = MultiTaskNetwork(with_encoder(encoder), tasks, sharing=TIED, initial="common")
        if frozen:
            freeze(network, "encoder.*")
        before = {name: value.clone() for name, value in network.state_dict().items()}
        fit(network, tasks, steps=1, learning_rate=0.1, learning_rates=rates)
        moved = {
            name: float((value - before[name]).abs().max())
            for name, value in network.state_dict().items()
            if value.is_floating_point()
        }
        assert max(size for name, size in moved.items() if "head" in name) == pytest.approx(
            0.1, rel=0.01
        )
        assert max(size for name, size in moved.items() if "encoder" in name) == pytest.approx(
            rates.get("encoder.*", 0.0), abs=1e-6
        )


@pytest.mark.parametrize("kind", ["ViT", "ResNet", "Bert"])
def test_models_of_transformers_are_encoders(kind: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip(
        "transformers", reason="the library transformers is not installed"
    )
    small = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    options = {
        "ViT": {"image_size": 16, "patch_size": 8, **small},
        "ResNet": {
            "embedding_size": 4,
            "hidden_sizes": [4, 8],
            "depths": [1, 1],
            "layer_type": "basic",
        },
        "Bert": {"vocab_size": 30, "max_position_embeddings": 12, **small},
    }
    model = transformers.AutoModel.from_config(
        getattr(transformers, f"{kind}Config")(**options[kind])
    )
    model.save_pretrained(tmp_path)
    encoder = transformers_encoder(str(tmp_path)).eval()
    random = np.random.default_rng(0)
    if kind == "Bert":
        tasks = TaskSet.from_arrays(
            {name: (random.integers(1, 30, (6, 8)), np.arange(6) % 2) for name in "ab"}
        )
    else:
        tasks = made_tasks((3, 16, 16), "ab")
    network = MultiTaskNetwork(with_encoder(encoder), tasks, sharing=TIED, initial="common")
    with torch.no_grad():
        features = encoder(tasks.examples(1)[0])
        torch.testing.assert_close(
            predict(network, tasks)[1], network.task("b").head(features), rtol=1e-4, atol=1e-5
        )
    assert np.isfinite(
        fit(network, tasks, steps=2, learning_rates={"encoder.*": 1e-4})[-1]["train_loss"]
    )


class Tokens(nn.Module):
    """What :class:`Pooled` asks of a model of tokens."""

    main_input_name = "input_ids"

    class config:  # noqa: N801
        pad_token_id = 0

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        return type(
            "Output", (), {"last_hidden_state": input_ids[..., None] * torch.tensor([1.0, 10.0])}
        )


def test_padding_is_left_out_of_the_mean() -> None:
    pooled = Pooled(Tokens())(torch.tensor([[2.0, 4.0, 0.0, 0.0], [1.0, 2.0, 3.0, 6.0], [0.0] * 4]))
    assert pooled.tolist() == [[3.0, 30.0], [3.0, 30.0], [0.0, 0.0]]


class Embedded(Tokens):
    """A model that knows five tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(5, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        return type("Output", (), {"last_hidden_state": self.table(input_ids)})


@pytest.mark.parametrize("on_disk", [False, True])
def test_tokens_reach_the_encoder_as_they_are(on_disk: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(1, 5, (40, 6)) * (np.arange(6) < random.integers(1, 7, 40)[:, None])
    np.save(tmp_path / "tokens.npy", tokens)
    inputs = np.load(tmp_path / "tokens.npy", mmap_mode="r" if on_disk else None)
    tasks = TaskSet.from_arrays({name: (inputs, np.arange(40) % 2) for name in "ab"})
    train, validation, _ = tasks.split(seed=0, standardise=False)
    assert np.array_equal(train.examples(1)[0], tokens[train.rows[train.entries(1)] % 40])
    network = MultiTaskNetwork(
        with_encoder(Pooled(Embedded())), train, sharing=TIED, initial="common"
    )
    history = fit(
        network, train, validation=validation, steps=3, learning_rates={"encoder.*": 1e-3}
    )
    assert np.isfinite(history[-1]["train_loss"])


def test_a_missing_library_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'softshare\[hf\]'"):
        transformers_encoder("any")


def test_adapters_of_attention_are_all_that_is_trained_beside_heads() -> None:
    """Layers by pattern: attention's projection and one affine layer; what a task's module has is
    the pretrained value and its own part, merged.
    """
    layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True)
    encoder, tasks = nn.Sequential(layer), made_tasks()
    adapter = Pretrained() + TensorTrain((3, 2))
    sharing = {
        "*in_proj_weight": adapter,
        "*linear1": adapter,
        "encoder.*": Pretrained(),
        "*": Independent(),
    }
    network = MultiTaskNetwork(with_encoder(encoder), tasks, sharing=sharing)
    rows = torch.randn(4, 5, 6)
    before = encoder.eval()(rows).flatten(1)
    torch.testing.assert_close(network.task("a").get_submodule("encoder")(rows), before)
    fit(network, tasks, steps=10)
    values = dict(network.task("a").get_submodule("encoder.module").named_parameters())
    moved = {name for name, value in encoder.named_parameters() if not values[name].equal(value)}
    assert moved == {"0.self_attn.in_proj_weight", "0.linear1.weight"}
    assert not network.task("b").get_submodule("encoder")(rows).equal(before)
