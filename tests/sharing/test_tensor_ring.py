"""Tensor rings against the trace definition, tensor trains, the paper's parameter counts and their
own promises.
"""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
import torch
from tensorly.tr_tensor import tr_to_tensor
from tensorly.tt_matrix import tt_matrix_to_tensor
from torch import Tensor
from torch.testing import assert_close

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.algebra.contraction import cheapest_order
from softshare.sharing.algebra.modes import balanced_modes
from softshare.sharing.base import LayerShapes, SharedWeight
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.weights.factorised import FactorisedWeight
from softshare.sharing.weights.unequal_rings import UnequalRings
from softshare.tasks.task_set import TaskSet

PAPER_MODES = {
    "layers.0": ((7, 7, 4, 4), (6, 6, 6, 6)),
    "layers.1": ((6, 6, 6, 6), (6, 6, 6, 6)),
    "layers.2": ((6, 6, 6, 6), (4, 4, 4, 4)),
}
"""Table 7."""


def drawn(
    sharing: TensorRing, *shapes: tuple[int, ...], n_tasks: int = 2, seed: int = 0, std: float = 1.0
) -> SharedWeight:
    streams = RandomStreams(seed, range(n_tasks if len(shapes) == 1 else len(shapes)))
    return sharing.draw({"layer": LayerShapes(shapes, std)}, streams)["layer"]


def cores_of(weight: SharedWeight, task: int) -> list[Tensor]:
    """A task's cores, the shared ones included, from a weight of one shape."""
    assert isinstance(weight, FactorisedWeight)
    own = {name.removeprefix("factors.") for name in weight.task_parameters()}
    return [
        values[task].detach() if name in own else values.detach()
        for name, values in weight.factors.items()
    ]


# --- what a ring is ----------------------------------------------------------------------------


def test_every_element_of_a_linear_weight_is_the_trace_of_its_slices() -> None:
    ranks, inputs, outputs = (2, 3, 4), (2, 3, 2), (3, 1, 2)
    weight = drawn(TensorRing(ranks, shared=(1,), modes={"layer": (inputs, outputs)}), (12, 6))
    for task in range(2):
        first, second, third = cores_of(weight, task)
        composed = weight.of(task).reshape(*inputs, *outputs)
        for a, b, c, x, y, z in product(*map(range, (*inputs, *outputs))):
            slices = first[:, a, x] @ second[:, b, y] @ third[:, c, z]
            assert_close(composed[a, b, c, x, y, z], slices.trace())


def test_every_element_of_a_convolution_is_the_trace_of_its_slices() -> None:
    inputs, outputs = (2, 2), (3, 1)
    weight = drawn(
        TensorRing((2, 3, 2), shared=1, modes={"layer": (inputs, outputs)}), (3, 2, 4, 3)
    )
    for task in range(2):
        window, first, second = cores_of(weight, task)
        composed = weight.of(task).reshape(3, 2, *inputs, *outputs)
        for h, w, a, b, x, y in product(*map(range, (3, 2, *inputs, *outputs))):
            slices = window[:, 2 * h + w] @ first[:, a, x] @ second[:, b, y]
            assert_close(composed[h, w, a, b, x, y], slices.trace())


def test_a_ring_is_tensorlys_ring_of_merged_modes() -> None:
    weight = drawn(TensorRing(3, shared=2, modes={"layer": ((2, 3, 2), (3, 2, 2))}), (12, 12))
    for task in range(2):
        cores = [core.flatten(1, 2).numpy() for core in cores_of(weight, task)]
        merged = torch.from_numpy(tr_to_tensor(cores)).reshape(2, 3, 3, 2, 2, 2)
        assert_close(weight.of(task).detach(), merged.permute(0, 2, 4, 1, 3, 5).reshape(12, 12))


def test_with_a_first_rank_of_one_a_ring_is_a_tensor_train_matrix() -> None:
    weight = drawn(
        TensorRing((1, 3, 4), shared=1, modes={"layer": ((2, 3, 2), (3, 2, 2))}), (12, 12)
    )
    for task in range(2):
        train = tt_matrix_to_tensor([core.numpy() for core in cores_of(weight, task)])
        assert_close(weight.of(task).detach(), torch.from_numpy(train).reshape(12, 12))


def test_gradients_equal_finite_differences() -> None:
    for shapes in [((4, 6),), ((2, 2, 4, 4),), ((4, 4), (6, 4))]:
        weight = drawn(TensorRing(2, shared=1, cores=3), *shapes).double()
        names, values = zip(*weight.named_parameters(), strict=True)

        def compose(
            *new: Tensor, weight: SharedWeight = weight, names: tuple[str, ...] = names
        ) -> Tensor:
            state = {f"weight.{name}": value for name, value in zip(names, new, strict=True)}
            return torch.func.functional_call(_Padded(weight), state, ())

        assert torch.autograd.gradcheck(compose, values)


class _Padded(torch.nn.Module):
    def __init__(self, weight: SharedWeight) -> None:
        super().__init__()
        self.weight = weight

    def forward(self) -> Tensor:
        return self.weight.padded()


def test_the_order_of_contraction_joins_two_halves() -> None:
    weight = drawn(
        TensorRing(10, shared=2, modes={"layer": ((7, 7, 4, 4), (6, 6, 6, 6))}),
        (784, 1296),
        n_tasks=1,
    )
    equation, operands = weight.contraction()  # type: ignore[misc]
    order = cheapest_order(equation, tuple(operand.shape for operand in operands))
    assert len(order.steps) == 3
    assert order.multiply_adds < 1.05 * 784 * 1296 * 10**2  # any chain is at least ten times this


# --- modes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "modes"),
    [
        (784, (7, 7, 4, 4)),
        (1296, (6, 6, 6, 6)),
        (1024, (8, 8, 4, 4)),
        (10, (5, 2, 1, 1)),
        (13, (13, 1, 1, 1)),
    ],
)
def test_modes_are_as_equal_as_the_size_allows(size: int, modes: tuple[int, ...]) -> None:
    assert balanced_modes(size, 4) == modes


def test_no_factorisation_has_a_smaller_sum() -> None:
    for size, count in product(range(1, 61), (1, 2, 3)):
        best = (
            min(
                sum(modes)
                for modes in product(range(1, size + 1), repeat=count)
                if prod(modes) == size
            )
            if size <= 30
            else None
        )
        modes = balanced_modes(size, count)
        assert prod(modes) == size
        assert len(modes) == count
        assert best is None or sum(modes) == best


def test_automatic_modes_make_cores_of_about_one_size() -> None:
    weight = drawn(TensorRing(1, shared=0), (784, 1024), n_tasks=1)
    assert [core.numel() for core in cores_of(weight, 0)] == [28, 28, 32, 32]


def test_the_window_counts_among_the_cores() -> None:
    weight = drawn(TensorRing(2, shared=4), (3, 3, 8, 8))
    assert [tuple(core.shape) for core in cores_of(weight, 0)] == [
        (2, 9, 2),
        (2, 2, 2, 2),
        (2, 2, 2, 2),
        (2, 2, 2, 2),
    ]
    assert weight.task_parameters() == []


# --- sizes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rank", "heads", "total"), [(4, True, 13_760), (5, False, 13_500)])
def test_pattern_420_of_the_papers_mlp_has_its_13k_parameters(
    rank: int, heads: bool, total: int
) -> None:
    tasks = TaskSet.from_arrays(
        {name: (torch.zeros(20, 784).numpy(), [*range(10), *range(10)]) for name in "ab"},
        kinds="multiclass",
    )
    template = lambda shape, n_outputs: mlp(shape, n_outputs, hidden=(1296, 1296, 256))  # noqa: E731
    network = MultiTaskNetwork(
        template,
        tasks,
        sharing={"layers.*": TensorRing(rank, shared="420", modes=PAPER_MODES)},
        initial="independent",
    )
    counted = [weight for layer, weight in network.layers.items() if heads or layer != "output"]
    assert (
        sum(parameter.numel() for weight in counted for parameter in weight.parameters()) == total
    )


def test_parameters_follow_the_formula() -> None:
    ranks, modes = (2, 3, 4, 5), ((2, 3, 4), (3, 2, 2))
    weight = drawn(
        TensorRing(ranks, shared=(0, 3), modes={"layer": modes}), (3, 3, 24, 12), n_tasks=7
    )
    shared, own = 2 * 9 * 3 + 5 * 4 * 2 * 2, 3 * 2 * 3 * 4 + 4 * 3 * 2 * 5
    assert sum(parameter.numel() for parameter in weight.parameters()) == shared + 7 * own
    assert weight.independent_parameters() == 7 * 9 * 24 * 12


def test_equal_parts_of_unequal_tasks_are_counted_once() -> None:
    modes = {"layer": [((4, 4), (3, 2)), ((4, 2), (3, 2))]}
    weight = drawn(TensorRing(3, shared=1, modes=modes), (16, 6), (8, 6), (16, 6))
    assert sum(parameter.numel() for parameter in weight.parameters()) == 9 * (
        4 * 3 + 2 * 4 * 2 + 2 * 2
    )
    assert weight.independent_parameters() == 2 * 16 * 6 + 8 * 6


@pytest.mark.parametrize("budget", [700, 1500, 0.3, 0.05])
@pytest.mark.parametrize("shapes", [((64, 64),), ((3, 3, 16, 16),), ((64, 64), (36, 64))])
def test_a_budget_gives_the_largest_rank_within_it(
    budget: float, shapes: tuple[tuple[int, ...], ...]
) -> None:
    weight = drawn(TensorRing(parameters=budget, shared=1), *shapes)
    allowed = budget if isinstance(budget, int) else budget * weight.independent_parameters()
    (rank,) = set(weight.ranks())
    larger = drawn(TensorRing(rank + 1, shared=1), *shapes)
    assert sum(parameter.numel() for parameter in weight.parameters()) <= allowed
    assert sum(parameter.numel() for parameter in larger.parameters()) > allowed


def test_a_generous_budget_stops_at_the_largest_useful_rank() -> None:
    assert drawn(TensorRing(parameters=1.0, shared=4), (64, 64), n_tasks=50).ranks() == (8, 8, 8, 8)


# --- the start ---------------------------------------------------------------------------------


@pytest.mark.parametrize("common_start", [False, True])
@pytest.mark.parametrize(
    "shapes",
    [((64, 64),), ((3, 3, 16, 16),), ((64, 64), (144, 64)), ((64, 64), (64, 64), (16, 64))],
)
def test_composed_weights_have_the_layers_standard_deviation(
    shapes: tuple[tuple[int, ...], ...], common_start: bool
) -> None:
    for seed in range(3):
        sharing = TensorRing(6, shared=1, common_start=common_start)
        weight = drawn(sharing, *shapes, seed=seed, std=0.3)
        for task in range(2):
            size = float(weight.of(task).detach().square().mean().sqrt())
            assert size == pytest.approx(0.3, rel=1e-5)


def test_tasks_with_different_numbers_of_cores_start_with_one_standard_deviation() -> None:
    modes = {"layer": [((4, 4, 2), (2, 3, 2)), ((4, 4), (2, 6)), ((4, 2, 2, 2), (2, 2, 3, 1))]}
    for seed in range(3):
        weight = drawn(
            TensorRing(3, shared=1, modes=modes), (32, 12), (16, 12), (32, 12), seed=seed, std=0.5
        )
        for task in range(3):
            size = float(weight.of(task).detach().square().mean().sqrt())
            assert size == pytest.approx(0.5, rel=1e-5)


def test_own_cores_start_alike_only_when_asked() -> None:
    apart = drawn(TensorRing(3, shared=0), (16, 16))
    alike = drawn(TensorRing(3, shared=0, common_start=True), (16, 16))
    assert not torch.equal(apart.of(0), apart.of(1))
    assert torch.equal(alike.of(0), alike.of(1))
    assert len(alike.task_parameters()) == 4


def test_given_weights_are_refused_with_a_reason() -> None:
    with pytest.raises(
        ValueError, match=r"layer 'layer': a tensor ring cannot start from given weights.*at random"
    ):
        TensorRing(3).share({"layer": torch.randn(2, 6, 5)})


# --- who learns what ---------------------------------------------------------------------------


def test_shared_cores_learn_from_all_tasks_and_own_cores_from_their_own() -> None:
    weight = drawn(TensorRing(2, shared=(0, 2)), (16, 16), n_tasks=3)
    weight.of(1).square().sum().backward()
    gradients = {name: value.grad for name, value in weight.named_parameters()}
    assert weight.task_parameters() == ["factors.core_1", "factors.core_3"]
    for name in weight.task_parameters():
        assert gradients[name].flatten(1).any(1).tolist() == [False, True, False]
    alone = [_gradient_of_first_core(task) for task in range(3)]
    assert all(gradient.any() for gradient in alone)
    weight = drawn(TensorRing(2, shared=(0, 2)), (16, 16), n_tasks=3)
    weight.stacked().square().sum().backward()
    assert_close(weight.get_parameter("factors.core_0").grad, sum(alone))


def _gradient_of_first_core(task: int) -> Tensor:
    weight = drawn(TensorRing(2, shared=(0, 2)), (16, 16), n_tasks=3)
    weight.of(task).square().sum().backward()
    return weight.get_parameter("factors.core_0").grad  # type: ignore[return-value]


def test_a_pattern_goes_from_bottom_to_top() -> None:
    layers = {name: LayerShapes(((16, 16),)) for name in ("bottom", "middle", "top")}
    weights = TensorRing(2, shared="410").draw(layers, RandomStreams(0, range(3)))
    assert [len(weight.task_parameters()) for weight in weights.values()] == [0, 3, 4]


def test_all_but_the_last_core_are_shared_by_default() -> None:
    assert drawn(TensorRing(2), (16, 16)).task_parameters() == ["factors.core_3"]
    unequal = drawn(
        TensorRing(2, modes={"layer": [((4, 4, 2), (2, 2, 2)), ((4, 2, 2), (2, 2, 2))]}),
        (32, 8),
        (16, 8),
    )
    assert isinstance(unequal, UnequalRings)
    assert unequal.shared == {0}


# --- tasks of different shapes -----------------------------------------------------------------

UNEQUAL = {"layer": [((4, 4, 2), (2, 2, 2)), ((4, 2), (2, 4))]}


def test_unequal_tasks_have_their_shapes_and_rows() -> None:
    weight = drawn(TensorRing(3, shared=1, modes=UNEQUAL), (32, 8), (8, 8), (32, 8))
    assert [tuple(weight.of(task).shape) for task in range(3)] == [(32, 8), (8, 8), (32, 8)]
    assert_close(weight.stacked(torch.tensor([2, 0])), torch.stack([weight.of(2), weight.of(0)]))
    padded = weight.padded(torch.tensor([1, 2]))
    assert_close(padded[0, :8], weight.of(1))
    assert not padded[0, 8:].any()
    assert_close(padded[1], weight.of(2))
    assert weight.task_vectors().shape == (3, 9 * (4 * 2 + 2 * 2))
    with pytest.raises(ValueError, match="different shapes"):
        weight.stacked()


def test_unequal_tasks_compose_by_the_trace_of_common_and_own_cores() -> None:
    weight = drawn(TensorRing(3, shared=1, modes=UNEQUAL), (32, 8), (8, 8), (32, 8))
    cores = {
        name.removeprefix("cores."): value.detach() for name, value in weight.named_parameters()
    }
    assert {name: len(value) for name, value in cores.items() if value.ndim == 5} == {
        "core_1_4x2": 2,
        "core_2_2x2": 2,
        "core_1_2x4": 1,
    }
    expected = torch.einsum("apqb,brsa->prqs", cores["core_0_4x2"], cores["core_1_2x4"][0])
    assert_close(weight.of(1).detach(), expected.reshape(8, 8))
    own = [cores["core_1_4x2"][1], cores["core_2_2x2"][1]]
    expected = torch.einsum("apqb,brsc,cuva->pruqsv", cores["core_0_4x2"], *own).reshape(32, 8)
    assert_close(weight.of(2).detach(), expected)


def test_own_values_of_unequal_tasks_are_views_of_what_only_they_use() -> None:
    weight = drawn(TensorRing(3, shared=1, modes=UNEQUAL), (32, 8), (8, 8), (32, 8))
    before = [weight.of(task).detach().clone() for task in range(3)]
    for value in weight.own_values(2):
        value.zero_()
    assert torch.equal(weight.of(0), before[0])
    assert torch.equal(weight.of(1), before[1])
    assert not weight.of(2).any()


def test_the_order_of_unequal_tasks_does_not_matter() -> None:
    shapes, order = {"a": (32, 8), "b": (8, 8), "c": (32, 8)}, ["c", "b", "a"]
    sharing = TensorRing(3, shared=1, modes=UNEQUAL)
    weights = [
        sharing.draw(
            {"layer": LayerShapes(tuple(shapes[name] for name in names))}, RandomStreams(0, names)
        )["layer"]
        for names in (list(shapes), order)
    ]
    for place, name in enumerate(order):
        assert torch.equal(weights[1].of(place), weights[0].of(list(shapes).index(name)))


def test_a_network_of_unequal_inputs_shares_cores_and_runs() -> None:
    data = {
        name: (torch.randn(12, width).numpy(), [0, 1] * 6)
        for name, width in (("a", 32), ("b", 16), ("c", 32))
    }
    tasks = TaskSet.from_arrays(data, kinds="binary")
    network = MultiTaskNetwork(mlp, tasks, sharing={"layers.*": TensorRing(3, shared="21")})
    assert isinstance(network.layers["layers.0"], UnequalRings)
    inputs = {name: torch.from_numpy(rows) for name, (rows, _) in data.items()}
    outputs = network(inputs)
    for name, rows in inputs.items():
        assert_close(outputs[name], network.task(name)(rows))
    outputs["b"].sum().backward()
    cores = dict(network.layers["layers.0"].named_parameters())
    common = {name: value for name, value in cores.items() if value.ndim == 4}
    assert set(common) == {"cores.core_0_4x2", "cores.core_0_2x2", "cores.core_1_2x2"}
    assert common["cores.core_0_4x2"].grad is None  # of the two tasks with 32 inputs
    assert common["cores.core_1_2x2"].grad.any()


# --- what is refused ---------------------------------------------------------------------------


def test_numbers_may_be_numpys() -> None:
    two, three = np.array([2, 3])
    assert TensorRing(three, shared=two, cores=three) == TensorRing(3, shared=2, cores=3)
    given = drawn(TensorRing(two, modes={"layer": ((two, three), (three, two))}), (6, 6))
    assert torch.equal(
        given.stacked(), drawn(TensorRing(2, modes={"layer": ((2, 3), (3, 2))}), (6, 6)).stacked()
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "give either ranks or parameters"),
        ({"ranks": 3, "parameters": 100}, "give either ranks or parameters"),
        ({"ranks": 0}, "ranks are whole numbers of at least 1.*got 0"),
        ({"ranks": (2, 0)}, r"ranks are whole numbers.*got \(2, 0\)"),
        ({"parameters": 1.5}, r"a fraction in \(0, 1\].*got 1.5"),
        ({"parameters": 0}, "got 0"),
        ({"parameters": True}, "got True"),
        ({"ranks": 3, "shared": "4x"}, "shared is .*got '4x'"),
        ({"ranks": 3, "shared": (0, 0)}, r"different cores.*got \(0, 0\)"),
        ({"ranks": 3, "shared": -1}, "got -1"),
        ({"ranks": 3, "cores": 1}, "cores must be a whole number from 2 to 9, got 1"),
        ({"ranks": 3, "cores": 2.5}, "cores must be a whole number from 2 to 9, got 2.5"),
        ({"ranks": 3, "cores": "3"}, "cores must be a whole number from 2 to 9, got '3'"),
        (
            {"ranks": 3, "modes": ((3, 2), (2, 3))},
            r"modes is a mapping layer .* got \(\(3, 2\), \(2, 3\)\)",
        ),
        ({"ranks": 3, "modes": {"fc": (6, 6)}}, r"layer 'fc': modes are a pair .* got \(6, 6\)"),
        (
            {"ranks": 3, "modes": {"fc": ((), ())}},
            r"layer 'fc': modes are a pair .* got \(\(\), \(\)\)",
        ),
        ({"ranks": 3, "modes": {"fc": ((-2, -3), (2, 3))}}, "layer 'fc': modes are .* at least 1"),
        (
            {"ranks": 3, "modes": {"fc": ((2.0, 3.0), (2, 3))}},
            "layer 'fc': modes are .* whole numbers",
        ),
        (
            {"ranks": 3, "modes": {"fc": ((4, 4), (4, 2, 2))}},
            "layer 'fc': modes are .* equally many",
        ),
        ({"ranks": 3, "modes": {"fc": "ab"}}, "layer 'fc': modes are .* got 'ab'"),
        ({"ranks": 3, "modes": {"fc": 6}}, "layer 'fc': modes are .* got 6"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TensorRing(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sharing", "shapes", "message"),
    [
        (
            TensorRing((2, 3)),
            ((16, 16),),
            r"layer 'layer': TensorRing ranks \(2, 3\) are for 2 cores, the layer has 4",
        ),
        (
            TensorRing(2, shared="42"),
            ((16, 16),),
            r"pattern '42' has 2 digit\(s\), and its layers are 1: 'layer'",
        ),
        (
            TensorRing(2, shared="5"),
            ((16, 16),),
            r"layer 'layer': .*'5' asks for 5, the layer has 4 cores.*\[0, 1, 2, 3\]",
        ),
        (TensorRing(2, shared=(1, 7)), ((16, 16),), r"layer 'layer': .* asks for cores \(1, 7\)"),
        (
            TensorRing(2, modes={"layer": ((4, 5), (4, 4))}),
            ((16, 16),),
            r"layer 'layer': no given modes suit its 16 inputs.*\(4, 4\)",
        ),
        (
            TensorRing(2, modes={"layer": ((16,), (16,))}),
            ((16, 16),),
            "layer 'layer': a ring has 2 to 9 cores",
        ),
        (
            TensorRing(2, modes={"other": ((4, 4), (4, 4))}),
            ((16, 16),),
            "modes are given for 'other'; its layers are 'layer'",
        ),
        (
            TensorRing(parameters=10),
            ((16, 16),),
            "layer 'layer': .*parameters=10 allow 10 parameters, rank 1 has",
        ),
        (
            TensorRing(2, shared=2, modes=UNEQUAL),
            ((32, 8), (8, 8)),
            r"layer 'layer': .* asks for 2, .*tasks can share are \[0\]",
        ),
    ],
    ids=str,
)
def test_what_a_layer_cannot_have_is_refused_by_name(
    sharing: TensorRing, shapes: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        drawn(sharing, *shapes)


def test_the_most_cores_are_allowed() -> None:
    ring = TensorRing(2, modes={"layer": ((2, 2, 2) + (1,) * 6, (2, 2, 2) + (1,) * 6)})
    weight = drawn(ring, (8, 8))
    assert len(cores_of(weight, 0)) == 9
    assert weight.of(0).shape == (8, 8)
