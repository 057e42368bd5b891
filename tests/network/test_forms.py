"""Templates of tasks' forms: what is refused, by task and layer, and which template runs whom."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from softshare.network.forms import (
    Form,
    check_templates,
    layer_shapes,
    make_templates,
    stacks_of_templates,
    widest_templates,
)
from softshare.network.templates.standard import mlp
from softshare.tasks.task import Task

ONE: Form = ((4,), 1)
THREE: Form = ((4,), 3)
NARROW: Form = ((2,), 1)


def test_the_template_with_the_most_outputs_runs_all_tasks_of_one_shape() -> None:
    forms = [ONE, NARROW, THREE, ONE]
    templates = make_templates(mlp, forms, seed=0)
    numbers, chosen = widest_templates(forms, templates)
    assert numbers == [0, 1, 0, 0]
    assert chosen == [templates[THREE], templates[NARROW]]


def test_stacks_are_views_of_one_value_where_shapes_are_one() -> None:
    forms = [ONE, THREE]
    templates = make_templates(mlp, forms, seed=0)
    stacks = stacks_of_templates(forms, templates)
    *hidden, weight, bias = stacks
    for path in hidden:
        stack = stacks[path]
        assert isinstance(stack, Tensor)
        assert stack.stride(0) == 0
    assert [tuple(value.shape[-1:]) for value in stacks[weight]] == [(1,), (3,)]
    assert [tuple(value.shape) for value in stacks[bias]] == [(1,), (3,)]


def test_weights_of_one_shape_have_the_mean_of_their_sizes() -> None:
    stack = [torch.full((2, 3), 1.0), torch.full((2, 1), 5.0), torch.full((2, 3), 3.0)]
    shapes = layer_shapes(stack)
    assert shapes.shapes == ((2, 3), (2, 1), (2, 3))
    assert shapes.std == pytest.approx((2.0, 5.0, 2.0))


IMAGES: Form = ((2, 3), 1)


@pytest.mark.parametrize(
    ("template", "form", "match"),
    [
        (nn.Sequential(nn.ReLU()), ONE, "no parameters"),
        (nn.Linear(4, 2), ONE, r"'a' needs 1 output\(s\).* has 2"),
        (nn.Linear(5, 1), ONE, r"\(4,\), 4 numbers .* takes 5"),
        (nn.Sequential(nn.ReLU(), nn.Linear(6, 1)), IMAGES, "3 numbers .* takes 6"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3, 1)), IMAGES, "6 numbers .* takes 3"),
    ],
)
def test_a_template_that_does_not_fit_its_task_is_refused(
    template: nn.Module, form: Form, match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        check_templates([Task("a", "binary")], [form], {form: template})


def test_one_parameter_of_two_modules_is_refused() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    template = nn.Sequential(first, second, nn.Linear(4, 1))
    with pytest.raises(ValueError, match="one parameter of two modules"):
        check_templates([Task("a", "binary")], [ONE], {ONE: template})


def test_layers_are_named_alike_in_all_templates() -> None:
    tasks = [Task("a", "binary"), Task("b", "binary")]
    forms = [ONE, NARROW]
    templates = {ONE: nn.Linear(4, 1), NARROW: nn.Sequential(nn.Linear(2, 1))}
    with pytest.raises(ValueError, match=r"'b': its template has the layers .*named alike"):
        check_templates(tasks, forms, templates)
