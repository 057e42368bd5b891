from .data.table import read_table as read_table
from .evaluation.compare import compare as compare
from .network.freezing import freeze as freeze
from .network.multitask_network import MultiTaskNetwork as MultiTaskNetwork
from .network.ordering_templates import ordering_cnn as ordering_cnn
from .network.ordering_templates import ordering_mlp as ordering_mlp
from .network.readings import sweep_scale as sweep_scale
from .network.templates import lenet as lenet
from .network.templates import mlp as mlp
from .sharing.fixed_order import FixedOrder as FixedOrder
from .sharing.independent import Independent as Independent
from .sharing.last_axis_flattening import LastAxisFlattening as LastAxisFlattening
from .sharing.soft_ordering import SoftOrdering as SoftOrdering
from .sharing.soft_ordering import adapted as adapted
from .sharing.tensor_normal import TensorNormal as TensorNormal
from .sharing.tensor_ring import TensorRing as TensorRing
from .sharing.tensor_train import TensorTrain as TensorTrain
from .sharing.tied import Tied as Tied
from .sharing.trace_norm import TraceNorm as TraceNorm
from .sharing.tucker import Tucker as Tucker
from .tasks.task import Task as Task
from .tasks.task_set import TaskSet as TaskSet
from .training.fit import fit as fit
from .training.readings import ReadingHistory as ReadingHistory

__version__: str
