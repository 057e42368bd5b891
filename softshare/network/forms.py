"""Tasks of one form — inputs of one shape, one number of outputs — have one template."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
from torch import Tensor, nn

from softshare.network.execution.known_modules import facts_of
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
        return [
            (tasks.input_shape(number), task.n_outputs) for number, task in enumerate(tasks.tasks)
        ]
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
    examples = dict(
        zip(reversed(forms), reversed(tasks), strict=True)
    )  # of each form the first task
    structures = {form: list(parameters_of(template)) for form, template in templates.items()}
    first = next(iter(structures.values()))
    for form, task in examples.items():
        if structures[form] != first:
            raise ValueError(
                f"task {task.label!r}: its template has the layers {structures[form]}, "
                f"another task's has {first}; they must be named alike"
            )
        if not first:
            raise ValueError(
                "template: it has no parameters, so there is nothing to learn or to share"
            )
        last = _last_linear(templates[form])
        if last is not None and last.out_features != task.n_outputs:
            raise ValueError(
                f"task {task.label!r} needs {task.n_outputs} output(s), the template's "
                f"output layer has {last.out_features}; "
                "pass a function of (input_shape, n_outputs), such as ss.mlp"
            )
        _check_inputs(task, form, templates[form])
        _check_parameters(templates[form])
        alike = next(other for other in examples if other[0] == form[0])
        _check_widths(task, templates[form], templates[alike])


def _check_inputs(task: Task, form: Form, template: nn.Module) -> None:
    """A chain's first affine layer is as wide as the inputs, where a task set tells their shape."""
    shape, flattened = form[0], False
    for module in _leaves_of_chain(template):
        if isinstance(module, nn.Linear):
            break
        flattens = isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1)
        if not flattens and not facts_of(module).is_elementwise:
            return
        flattened = flattened or flattens
    else:
        return
    if not shape or (width := prod(shape) if flattened else shape[-1]) == module.in_features:
        return
    raise ValueError(
        f"task {task.label!r} has inputs of shape {shape}, {width} numbers for the template's "
        f"first layer, which takes {module.in_features}; "
        "pass a function of (input_shape, n_outputs), such as ss.mlp"
    )


def _leaves_of_chain(module: nn.Module) -> Iterator[nn.Module]:
    """The layers of a chain in the order in which they run, up to one that is none."""
    if type(module).forward is not nn.Sequential.forward:
        yield module
        return
    for child in module.children():
        yield from _leaves_of_chain(child)


def _check_parameters(template: nn.Module) -> None:
    """No parameter belongs to two modules; one module may stand in two places."""
    paths: dict[int, str] = {}
    for path in parameters_of(template):
        if (other := paths.setdefault(id(template.get_parameter(path)), path)) != path:
            raise ValueError(
                f"template: {other} and {path} are one parameter of two modules; use one "
                "module in both places instead"
            )


def _check_widths(task: Task, template: nn.Module, other: nn.Module) -> None:
    """Where tasks of like inputs differ in a layer's width, what follows must not mix features:
    narrower layers are padded.
    """
    others, differing = dict(other.named_modules()), ""
    for name, module in template.named_modules():
        if differing and not list(module.children()) and not facts_of(module).passes_padding:
            raise ValueError(
                f"task {task.label!r}: {type(module).__name__} ({name!r}) comes after "
                f"{differing}, whose widths differ between tasks, and "
                "would see the zeros that fill up narrower ones; give all tasks one width "
                "there, or leave it out"
            )
        for path, value in module.named_parameters(recurse=False):
            if not differing and value.shape != others[name].get_parameter(path).shape:
                differing = f"{name}.{path}"


def _last_linear(template: nn.Module) -> nn.Linear | None:
    owners = [
        module
        for module in template.modules()
        if any(value.ndim >= 2 for value in module.parameters(recurse=False))
    ]
    return owners[-1] if owners and isinstance(owners[-1], nn.Linear) else None


def paper_values(template: nn.Module) -> dict[str, Tensor]:
    """Every parameter's initial value in the papers' mode order, by full name."""
    values = dict(template.named_parameters())
    return {
        path: parameter.to_paper(values[path].detach())
        for path, parameter in parameters_of(template).items()
    }


def stacks_of_templates(
    forms: list[Form], templates: Mapping[Form, nn.Module]
) -> dict[str, Tensor | list[Tensor]]:
    """The template's weights for every task, ``(T, *weight)`` as views that take no memory; lists
    where shapes differ.
    """
    values = {form: paper_values(template) for form, template in templates.items()}
    stacks: dict[str, Tensor | list[Tensor]] = {}
    for path, first in values[forms[0]].items():
        if len({value[path].shape for value in values.values()}) == 1:
            stacks[path] = first.expand(len(forms), *first.shape)
        else:
            stacks[path] = [values[form][path] for form in forms]
    return stacks


def layer_shapes(stack: Tensor | Sequence[Tensor]) -> LayerShapes:
    """What a sharing is told of a layer whose initial weights these are."""
    if isinstance(stack, Tensor):
        return LayerShapes((tuple(stack.shape[1:]),), root_mean_square(stack[0]))
    shapes = tuple(tuple(weight.shape) for weight in stack)
    sizes: dict[tuple[int, ...], list[float]] = {}
    for shape, weight in zip(shapes, stack, strict=True):
        sizes.setdefault(shape, []).append(root_mean_square(weight))
    return LayerShapes(shapes, tuple(float(np.mean(sizes[shape])) for shape in shapes))


def widest_templates(
    forms: Sequence[Form], templates: Mapping[Form, nn.Module]
) -> tuple[list[int], list[nn.Module]]:
    """For each shape of inputs the template with the most outputs, which runs all its tasks.

    Returns:
        For every task the number of its template, and the templates.
    """
    widest: dict[tuple[int, ...], Form] = {}
    for form in forms:
        if form[0] not in widest or form[1] > widest[form[0]][1]:
            widest[form[0]] = form
    numbers = {shape: number for number, shape in enumerate(widest)}
    return [numbers[shape] for shape, _ in forms], [templates[form] for form in widest.values()]
