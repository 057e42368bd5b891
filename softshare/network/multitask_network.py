"""T networks of one template, run as one, their weights shared as told."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from softshare.network.compression import Compression, compressed
from softshare.network.dispatch import is_of_one_task, is_one_input, run_by_name
from softshare.network.execution.bodies import Bodies
from softshare.network.execution.plan import ExecutionPlan
from softshare.network.execution.task_module import TaskModule
from softshare.network.first_layer import taken
from softshare.network.forms import (
    check_templates,
    forms_of,
    make_templates,
    widest_templates,
)
from softshare.network.layers import parameters_of
from softshare.network.new_task import (
    extended_scaling,
    extended_weights,
    form_of_new_task,
    keep_buffers,
)
from softshare.network.one_task import plain_module, put_in_own_units
from softshare.network.start import Initial, Start, from_values, start_of
from softshare.network.state import check_names, packed, unpacked
from softshare.network.templates.standard import TemplateFactory
from softshare.network.weights import composed_stacks, leave_untrained, make_weights
from softshare.sharing.base import SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.strength import SharingStrength, sharing_strength
from softshare.tasks.task import Task, TaskName, no_such_task
from softshare.tasks.task_set import TaskSet


class MultiTaskNetwork(nn.Module):
    """One network a task, all of one template; which weights the tasks share is chosen layer by
    layer.

    A layer is named as its module in the template. The output layer (the last one with a weight),
    layers whose shapes differ between tasks, and layers whose module has an attribute
    ``each_tasks_own`` that is true are each task's own, unless a pattern other than ``*`` names
    them. Biases and norm parameters are each task's own, unless the layer's sharing ties them too.

    Args:
        template: one task's network, any module; or a function ``(input_shape, n_outputs) →
            module`` where tasks differ in their inputs or outputs (see
            :func:`softshare.network.templates.standard.mlp`).
        tasks: the tasks; a task set tells the shapes of their inputs as well.
        sharing: one sharing for all shareable layers, or layer-name pattern → sharing (first match
            wins). Layers of equal sharings are one group: they share what spans layers, such as a
                pattern of cores or one covariance for all.
        initial: where weights start. None — values that were given are kept: all those of a module,
            and what a template function does not draw itself, such as a trained encoder's (the same
            under another seed); the other weights are drawn anew, by every sharing its own.
            ``"independent"`` — every sharing draws its own random start, given values or not;
            ``"common"`` — all tasks start from the template's values, drawn or given; or layer →
            the tasks' weights ``(T, *weight)``, as :meth:`stacks` gives them. Values that are kept
            are shared as trained ones are (:meth:`Sharing.share`): tied and independent weights
            are the values themselves, a factorisation of equal copies is as near to them as its
            ranks allow, and a tensor ring, which cannot start from values, is refused. Frozen
            parameters (``requires_grad=False``) keep their values under every start, in one copy
            for all tasks, and the statistics of frozen norms stay.
        seed: of the random start, and of a template function's own initialisation.
        sparse_rows: gradients of the tasks' own parameters hold only the rows of the tasks in the
            batch: for very many tasks, together with
                :class:`softshare.training.lazy_adam.LazyAdam`.

    Raises:
        ValueError: the template does not fit a task, a pattern matches no layer, or a sharing
            cannot apply to a layer.

    Shape:
        one tensor ``(B, *input)`` → ``(T, B, n_outputs)``: all tasks see the same rows;
        ``(T, B, *input)`` → ``(T, B, n_outputs)``; a mapping task → ``(B_t, *input_t)`` → a mapping
        task → ``(B_t, n_outputs_t)``.
    """

    def __init__(
        self,
        template: nn.Module | TemplateFactory,
        tasks: TaskSet | Sequence[Task],
        *,
        sharing: Sharing | Mapping[str, Sharing] | None = None,
        initial: Initial = None,
        seed: int = 0,
        sparse_rows: bool = False,
    ) -> None:
        super().__init__()
        self._sparse_rows = sparse_rows
        self.tasks = tuple(tasks.tasks) if isinstance(tasks, TaskSet) else tuple(tasks)
        self.preprocessing = tasks.preprocessing if isinstance(tasks, TaskSet) else ()
        self.target_scaling = tasks.target_scaling if isinstance(tasks, TaskSet) else None
        self.seed = seed
        self._packed: Tensor | None = None  # names and units as a state holds them, once asked for
        self._numbers = {task.name: number for number, task in enumerate(self.tasks)}
        self._forms = forms_of(template, tasks)
        self._template = (template,)  # in a tuple: its own parameters are not this network's
        self._templates = make_templates(template, self._forms, seed)
        check_templates(self.tasks, self._forms, self._templates)

        self._parameters_of_template = parameters_of(next(iter(self._templates.values())))
        start = start_of(initial, template, self._forms, self._templates, seed)
        self._kept = start.kept
        self._share(sharing or Independent(), start)

    # --- running -------------------------------------------------------------------------------

    def forward(
        self, inputs: Tensor | Mapping[TaskName, Tensor]
    ) -> Tensor | dict[TaskName, Tensor]:
        """See the class: a tensor in gives a tensor out, a mapping in gives a mapping out."""
        if isinstance(inputs, Tensor):
            return self.run(inputs, one_input=is_one_input(self, inputs))
        if not isinstance(inputs, Mapping):
            raise TypeError(
                "inputs must be a tensor, or a mapping from task name to tensor; got "
                f"{type(inputs).__name__}"
            )
        return run_by_name(self, inputs)

    def run(
        self, inputs: Tensor, *, tasks: Tensor | None = None, one_input: bool = False
    ) -> Tensor:
        """Several tasks' outputs in one pass.

        Args:
            inputs: ``(k, B, *input)``, or ``(B, *input)`` with ``one_input``.
            tasks: the tasks' numbers ``(k,)``, all with inputs of one shape; all tasks when None.
            one_input: all tasks see the same rows.

        Raises:
            ValueError: rows do not fit the first layer.

        Shape:
            ``(k, B, W)`` with W the widest output; a narrower task's outputs come first.
        """
        row = tuple(inputs.shape[1:] if one_input else inputs.shape[2:])
        if row != self.input_shape or not inputs.is_floating_point():
            number = 0
            if tasks is not None and len(tasks) and len(self._templates) > 1:
                number = int(tasks[0])
            template = self._templates[self._forms[number]]
            inputs = taken(inputs, row, template, self.tasks[number])
        return self.bodies.run(inputs, tasks, one_input=one_input)

    @torch.no_grad()
    def plan(
        self,
        inputs: Tensor | Mapping[TaskName, Tensor],
        *,
        tasks: Tensor | None = None,
        one_input: bool = False,
    ) -> ExecutionPlan:
        """How each layer would run on a batch, with the counts by which that was decided; print it.

        Running statistics and parameters stay as they are. Of two ways the one is taken whose
        multiply-adds and 8 × elements, numbers read and written, add up to less.

        Args:
            inputs: as for :meth:`run`, or as the network itself takes them.
            tasks: as for :meth:`run`.
            one_input: as for :meth:`run`.
        """
        with self.bodies.deciding() as decisions:
            if isinstance(inputs, Mapping):
                self(inputs)
            else:
                alike = one_input or is_of_one_task(inputs, self.input_shape)
                self.run(inputs, tasks=tasks, one_input=alike)
        return ExecutionPlan(decisions)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of the first task's inputs; ``()`` where a list of tasks has not told it."""
        shape, _ = self._forms[0]
        return shape

    def number(self, name: TaskName) -> int:
        """The place of a task on the task axis.

        Raises:
            KeyError: there is no such task.
        """
        if name not in self._numbers:
            raise no_such_task(name, self.tasks)
        return self._numbers[name]

    def numbers(self, tasks: Sequence[Task]) -> Tensor:
        """The places of some tasks on the task axis, ``(k,)``.

        Raises:
            KeyError: there is no such task.
        """
        return torch.tensor([self.number(task.name) for task in tasks])

    def template_of(self, name: TaskName) -> nn.Module:
        """The template that a task's network is a copy of.

        Raises:
            KeyError: there is no such task.
        """
        number = self.number(name)
        form = self._forms[number]
        return self._templates[form]

    def task(self, name: TaskName, *, own_units: bool = True) -> nn.Module:
        """One task's network as a plain module with its own copy of the weights, ready to use and
        to export, in evaluation mode.

        Args:
            name: of the task.
            own_units: whether outputs are in the target's own units, and not in the standard
                deviations that training counts in.

        Raises:
            KeyError: there is no such task.
        """
        number = self.number(name)
        template = self.template_of(name)
        module = plain_module(template, self.shared_weights, self.bodies.of(number), number)
        is_number = self.tasks[number].kind == "regression"
        if own_units and is_number and self.target_scaling is not None:
            mean, deviation = self.target_scaling[number].tolist()
            put_in_own_units(module, mean, deviation)
        return module.eval()

    def get_extra_state(self) -> Tensor:
        """The tasks' names, their targets' units and their inputs' preprocessing, which a state has
        with its numbers.
        """
        if self._packed is None:
            self._packed = packed(self.tasks, self.target_scaling, self.preprocessing)
        return self._packed

    def set_extra_state(self, state: Tensor) -> None:
        """Take the targets' units and the inputs' preprocessing from a state, before its numbers.

        Raises:
            ValueError: the state is of other tasks, or has them in another order.
        """
        beside = unpacked(state)
        check_names(beside.names, self.tasks)
        self.target_scaling, self._packed = beside.target_scaling, None
        self.preprocessing = beside.preprocessing or self.preprocessing

    # --- sharing -------------------------------------------------------------------------------

    def shared_weight(self, path: str) -> SharedWeight:
        """The shared weight behind a parameter of the template, by the parameter's full name."""
        return cast(SharedWeight, self.weights[self._keys[path]])

    @property
    def shared_weights(self) -> dict[str, SharedWeight]:
        """Every parameter of the template by its full name, biases and norm parameters included."""
        return {path: self.shared_weight(path) for path in self._keys}

    def path_of(self, layer: str) -> str:
        """The full name of a layer's weight in the template."""
        return next(
            path
            for path, p in self._parameters_of_template.items()
            if p.is_weight and p.layer == layer
        )

    @property
    def layers(self) -> dict[str, SharedWeight]:
        """The layers that can be shared, no biases or norm parameters: name → shared weight."""
        layers = {}
        for path, parameter in self._parameters_of_template.items():
            if parameter.is_weight:
                layers[parameter.layer] = self.shared_weight(path)
        return layers

    def stacks(self) -> dict[str, Tensor | list[Tensor]]:
        """All composed parameters by full name: ``(T, *weight)`` in the papers' mode order, a list
        where shapes differ.
        """
        templates = list(self._templates.values())
        return composed_stacks(self.shared_weights, self._parameters_of_template, templates)

    @property
    def shares_nothing(self) -> bool:
        """Whether the tasks are learned apart: no parameter serves two of them and no penalty joins
        them.
        """
        frozen = {p.layer for p in self._parameters_of_template.values() if p.is_frozen}
        for layer, sharing in self.sharing.items():
            learns = layer not in frozen or sharing.learns_beside_frozen
            if sharing.joins_tasks and learns:
                return False
        return True

    def own_values(self, task: int) -> list[Tensor]:
        """Views of the parameters' and the running statistics' rows that are one task's own."""
        values: list[Tensor] = []
        for weight in self.shared_weights.values():
            values.extend(weight.own_values(task))
        for layer in self.bodies.of(task).modules():
            if isinstance(layer, TaskModule):
                values.extend(layer.buffers_of(task).values())
        return values

    def with_sharing(
        self,
        sharing: Sharing | Mapping[str, Sharing],
        *,
        examples: Sequence[float] | None = None,
    ) -> MultiTaskNetwork:
        """The same networks with their weights shared otherwise: the start from trained networks
        (STL start).

        Args:
            sharing: as for the network itself.
            examples: of every task, behind its weights, ``(T,)``: the common part of a sum is their
                mean weighted by these; equally when None.

        Raises:
            ValueError: a pattern matches no layer, or a sharing cannot apply to a layer.
        """
        network = copy.copy(self)
        network._modules = dict(self._modules)
        start = from_values(self.stacks(), examples)
        network._share(sharing, start)
        keep_buffers(self.bodies, network.bodies)
        return network.train(self.training)

    def compress(self, epsilon: float) -> Compression:
        """The same networks with every factorised layer factorised anew, by ranks that keep its
        weights within a relative error; this network stays as it is.

        Args:
            epsilon: the relative error, in (0, 1), as of
                :class:`~softshare.sharing.truncated_factorisation.TruncatedFactorisation`.
        """
        return compressed(self, epsilon)

    def add_task(self, new: TaskSet | Task) -> None:
        """Add a task that learns only what is its own: its row of a factor, its scales, its head;
        all else is frozen.

        Train it with ``fit(network, examples_of_the_new_task, ...)``. The other tasks' parameters
        and their ``task(name)(x)`` stay the same bit for bit. Weights that are wholly its own start
        from the template; rows of factors, which mean something beside the shared ones only, from
        what the others' have in common.

        To load the saved state of a network with added tasks, build the network of the first tasks,
        add the others in the same order, and then call ``load_state_dict``: the rows of tasks that
        came later are parameters of their own.

        Args:
            new: a set of the new task alone, prepared as the others were; or the task, where all
                inputs have one shape.

        Raises:
            ValueError: the name is taken, the template does not fit the task, nothing is shared, or
                a layer's sharing takes no new task. The network is then left as it was.
        """
        if self.shares_nothing:
            raise ValueError(
                "add_task: nothing is shared in this network, so a new task has nothing to "
                "build on; train a network of its own"
            )
        task, form = form_of_new_task(self.tasks, self._forms, new)
        made = make_templates(self._template[0], [form], self.seed)
        templates = made | self._templates
        check_templates([task], [form], templates)
        weights = extended_weights(self.shared_weights, templates[form])
        self.requires_grad_(False)  # before the new task's own come in, which alone are trained
        n_before = len(self.tasks)
        self.tasks = (*self.tasks, task)
        self._forms = [*self._forms, form]
        self._templates = templates
        self._numbers = self._numbers | {task.name: n_before}
        self.target_scaling = extended_scaling(self.target_scaling, new)
        self._packed = None
        before = self.bodies
        self._set_weights(weights)
        keep_buffers(before, self.bodies.train(self.training))
        for layer in self.bodies.modules():
            if isinstance(layer, TaskModule):
                layer.keep_statistics(n_before)
        self._leave_frozen()

    @property
    def is_regularised(self) -> bool:
        """Whether a sharing adds a penalty to the losses."""
        return bool(self._regularised)

    def penalty(self, examples: Tensor) -> Tensor:
        """The sum of all penalties; ``examples`` ``(T,)`` are the counts behind the tasks' mean
        losses. Shape ``()``.
        """
        total = examples.new_zeros(())
        for weight in self._regularised:
            total = total + weight.penalty(examples)
        return total

    def after_step(self) -> None:
        """Closed-form updates of the sharings, after each optimiser step."""
        for weight in self._updated:
            weight.after_step()

    def sharing_strength(self) -> dict[str, SharingStrength]:
        """How strongly each layer is shared, for the layers of one shape in all tasks."""
        stacks = self.stacks()
        strengths = {}
        for path, parameter in self._parameters_of_template.items():
            stack = stacks[path]
            if parameter.is_weight and isinstance(stack, Tensor):
                strengths[parameter.layer] = sharing_strength(stack)
        return strengths

    # --- making --------------------------------------------------------------------------------

    def _share(self, sharing: Sharing | Mapping[str, Sharing], start: Start) -> None:
        """Replace all weights by shared ones."""
        self.sharing, weights = make_weights(
            self._parameters_of_template, start, sharing, self._streams()
        )
        for weight in weights.values():
            weight.sparse_rows = self._sparse_rows
        self._set_weights(weights)

    def _streams(self) -> RandomStreams:
        return RandomStreams(self.seed, [task.name for task in self.tasks])

    def _set_weights(self, weights: Mapping[str, SharedWeight]) -> None:
        """Take these weights, and fold the templates over them: one for each shape of inputs."""
        self._keys = {path: path.replace(".", "/") for path in weights}
        self.weights = nn.ModuleDict({key: weights[path] for path, key in self._keys.items()})
        self._regularised = [weight for weight in weights.values() if weight.regularises]
        self._updated = [weight for weight in weights.values() if weight.updates]
        groups, templates = widest_templates(self._forms, self._templates)
        names = [task.name for task in self.tasks]
        self.bodies = Bodies(templates, groups, weights, names=names, sparse_rows=self._sparse_rows)
        self._leave_frozen()

    def _leave_frozen(self) -> None:
        """Leave out of training what the template says is not trained, and nothing beside it."""
        frozen = []
        for path, parameter in self._parameters_of_template.items():
            if not parameter.is_frozen:
                continue
            weight = self.shared_weight(path)
            weight.leave_given()
            trained = [value for value in weight.parameters() if value.requires_grad]
            if not trained:
                frozen.append(path)
        leave_untrained(self.shared_weights, self.bodies, frozen, len(self.tasks))
