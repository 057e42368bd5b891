"""Tasks of one form — inputs of one shape, one number of outputs — have one template."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor, nn

from softshare.network.execution.known_modules import facts_of
from softshare.network.first_layer import needs_of
from softshare.network.layers import parameters_of
from softshare.network.templates.standard import TemplateFactory
from softshare.network.unsupported import require_supported
from softshare.sharing.base import LayerShapes, root_mean_square
from softshare.tasks.random_keys import torch_seeded
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

Form = tuple[tuple[int, ...], int]
"""Shape of a task's inputs and its number of outputs."""

Stack = Tensor | Sequence[Tensor]
"""The tasks' values of one parameter, ``(T, *weight)``, or a list of T where shapes differ."""

Stacks = Mapping[str, Stack]
"""Layer or parameter name → the tasks' values ``(T, *weight)``, or a list of T where shapes differ.
"""


def forms_of(template: nn.Module | TemplateFactory, tasks: TaskSet | Sequence[Task]) -> list[Form]:
    """Every task's form; without a task set the inputs' shapes are unknown and taken to be one.

    Raises:
        ValueError: a template function needs the shapes and there is no task set.
    """
    if isinstance(tasks, TaskSet):
        forms = []
        for number, task in enumerate(tasks.tasks):
            form = (tasks.input_shape(number), task.n_outputs)
            forms.append(form)
        return forms
    if not isinstance(template, nn.Module):
        raise ValueError(
            "template: a function of (input_shape, n_outputs) needs a TaskSet, which tells "
            "the inputs' shapes; got a list of tasks"
        )
    return [((), task.n_outputs) for task in tasks]


def make_templates(
    template: nn.Module | TemplateFactory, forms: list[Form], seed: int
) -> dict[Form, nn.Module]:
    """One template for each form, initialised from the same seed."""
    distinct = list(dict.fromkeys(forms))
    if isinstance(template, nn.Module):
        require_supported(template)
        return {form: copy.deepcopy(template) for form in distinct}
    templates = {}
    for form in distinct:
        with torch_seeded(seed):
            templates[form] = template(*form)
        require_supported(templates[form])
    return templates


def check_templates(
    tasks: Sequence[Task], forms: list[Form], templates: Mapping[Form, nn.Module]
) -> None:
    """Make sure that all templates have the same layers and the outputs that the tasks need.

    Raises:
        ValueError: they do not; names the task.
    """
    # Backwards, so that of each form the first task is the one that stays.
    backwards = zip(
        reversed(forms),
        reversed(tasks),
        strict=True,
    )
    examples = dict(backwards)
    structures = {}
    for form, template in templates.items():
        structures[form] = list(parameters_of(template))
    first = next(iter(structures.values()))
    of_inputs: dict[tuple[int, ...], nn.Module] = {}  # shape → what the others are compared with
    for form, task in examples.items():
        shape, _ = form
        template = templates[form]
        _check_structure(task, structures[form], first)
        _check_outputs(task, template)
        _check_inputs(task, shape, template)
        _check_parameters(template)
        alike = of_inputs.setdefault(shape, template)
        _check_widths(task, template, alike)


def _check_structure(task: Task, own: list[str], first: list[str]) -> None:
    """A template has parameters, named as another task's."""
    if own != first:
        raise ValueError(
            f"task {task.label!r}: its template has the layers {own}, "
            f"another task's has {first}; they must be named alike"
        )
    if not first:
        raise ValueError("template: it has no parameters, so there is nothing to learn or to share")


def _check_outputs(task: Task, template: nn.Module) -> None:
    """A last affine layer is as wide as the task's outputs."""
    last = _last_linear(template)
    if last is not None and last.out_features != task.n_outputs:
        raise ValueError(
            f"task {task.label!r} needs {task.n_outputs} output(s), the template's "
            f"output layer has {last.out_features}; "
            "pass a function of (input_shape, n_outputs), such as ss.mlp"
        )


def _check_inputs(task: Task, shape: tuple[int, ...], template: nn.Module) -> None:
    """A chain's first layer is as wide as the inputs, where a task set tells their shape."""
    needs = needs_of(template, shape)
    if needs is None:
        return
    takes, width = needs
    if width == takes:
        return
    raise ValueError(
        f"task {task.label!r} has inputs of shape {shape}, {width} numbers for the template's "
        f"first layer, which takes {takes}; "
        "pass a function of (input_shape, n_outputs), such as ss.mlp"
    )


def _check_parameters(template: nn.Module) -> None:
    """No parameter belongs to two modules; one module may stand in two places."""
    paths: dict[int, str] = {}
    for path in parameters_of(template):
        parameter = template.get_parameter(path)
        other = paths.setdefault(id(parameter), path)
        if other != path:
            raise ValueError(
                f"template: {other} and {path} are one parameter of two modules; use one "
                "module in both places instead"
            )


def _check_widths(task: Task, template: nn.Module, other: nn.Module) -> None:
    """Where tasks of like inputs differ in a layer's width, what follows must not mix features:
    narrower layers are padded.
    """
    others = dict(other.named_modules())
    differing = ""  # the first parameter whose shape is another
    for name, module in template.named_modules():
        is_leaf = not list(module.children())
        if differing and is_leaf and not facts_of(module).passes_padding:
            raise ValueError(
                f"task {task.label!r}: {type(module).__name__} ({name!r}) comes after "
                f"{differing}, whose widths differ between tasks, and "
                "would see the zeros that fill up narrower ones; give all tasks one width "
                "there, or leave it out"
            )
        for path, value in module.named_parameters(recurse=False):
            if differing:
                break
            alike = others[name].get_parameter(path)
            if value.shape != alike.shape:
                differing = f"{name}.{path}"


def _last_linear(template: nn.Module) -> nn.Linear | None:
    """The last module with a weight, where it is an affine layer."""
    last = None
    for module in template.modules():
        own = module.parameters(recurse=False)
        if any(value.ndim >= 2 for value in own):
            last = module
    return last if isinstance(last, nn.Linear) else None


def paper_values(template: nn.Module) -> dict[str, Tensor]:
    """Every parameter's initial value in the papers' mode order, by full name."""
    values = dict(template.named_parameters())
    in_paper_order = {}
    for path, parameter in parameters_of(template).items():
        value = values[path].detach()
        in_paper_order[path] = parameter.to_paper(value)
    return in_paper_order


def stacks_of_templates(
    forms: list[Form], templates: Mapping[Form, nn.Module]
) -> dict[str, Tensor | list[Tensor]]:
    """The template's weights for every task, ``(T, *weight)`` as views that take no memory; lists
    where shapes differ.
    """
    values = {form: paper_values(template) for form, template in templates.items()}
    stacks: dict[str, Tensor | list[Tensor]] = {}
    for path, first in values[forms[0]].items():
        shapes = {value[path].shape for value in values.values()}
        if len(shapes) == 1:
            stacks[path] = first.expand(len(forms), *first.shape)
        else:
            stacks[path] = [values[form][path] for form in forms]
    return stacks


def layer_shapes(stack: Tensor | Sequence[Tensor]) -> LayerShapes:
    """What a sharing is told of a layer whose initial weights these are."""
    if isinstance(stack, Tensor):
        shape = tuple(stack.shape[1:])  # (T, *weight)
        return LayerShapes((shape,), root_mean_square(stack[0]))
    shapes = tuple(tuple(weight.shape) for weight in stack)
    sizes: dict[tuple[int, ...], list[float]] = {}
    for shape, weight in zip(shapes, stack, strict=True):
        of_shape = sizes.setdefault(shape, [])
        of_shape.append(root_mean_square(weight))
    # Weights of one shape are drawn alike, with the mean of their sizes.
    means = {shape: float(np.mean(of_shape)) for shape, of_shape in sizes.items()}
    return LayerShapes(
        shapes,
        tuple(means[shape] for shape in shapes),
    )


def widest_templates(
    forms: Sequence[Form], templates: Mapping[Form, nn.Module]
) -> tuple[list[int], list[nn.Module]]:
    """For each shape of inputs the template with the most outputs, which runs all its tasks.

    Returns:
        For every task the number of its template, and the templates.
    """
    widest: dict[tuple[int, ...], Form] = {}
    for form in forms:
        shape, n_outputs = form
        _, most = widest.get(shape, (shape, 0))
        if n_outputs > most:
            widest[shape] = form
    numbers = {shape: number for number, shape in enumerate(widest)}
    of_tasks = [numbers[shape] for shape, _ in forms]
    chosen = [templates[form] for form in widest.values()]
    return of_tasks, chosen
