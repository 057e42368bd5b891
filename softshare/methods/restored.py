"""Networks made again from what was kept of them."""

from __future__ import annotations

import numpy as np

from softshare.methods.cross_fitting import CrossFittedNetworks
from softshare.methods.estimators import beside, fitted_from
from softshare.methods.method import Learned, State
from softshare.methods.network_method import NetworkMethod
from softshare.methods.network_outputs import load_network
from softshare.methods.settings import checked_settings
from softshare.methods.training import LearnedNetwork, Trainer
from softshare.tasks.task_set import TaskSet


def restored_networks(method: NetworkMethod, state: State, tasks: TaskSet) -> Learned:
    """What a method's networks have learned, from their state; see :meth:`Method.restore`.

    The networks are made by the method anew, which alone knows their form, and take the numbers
    that were kept.
    """
    settings = checked_settings(state["settings"])
    base = None
    seen = tasks
    if state["base"] is not None:
        # Models that were kept before their base had a name stand on the method's.
        base = fitted_from(state.get("base_name", method.base), state["base"], tasks)
        width = max(task.n_outputs for task in tasks.tasks)
        seen = beside(tasks, np.empty((0, width)))
    trainer = Trainer(method, stands_on_base=base is not None)
    networks = []
    for of_network in state["networks"]:
        network = trainer.finished(settings, seen)
        load_network(network, of_network)
        networks.append(network.eval())
    if base is None and len(networks) == 1:
        return LearnedNetwork(networks[0], settings)
    return CrossFittedNetworks(networks, base, float(state["weight"]), None, settings)
