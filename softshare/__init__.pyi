from .sharing.independent import Independent as Independent
from .sharing.tied import Tied as Tied
from .tasks.task import Task as Task
from .tasks.task_set import TaskSet as TaskSet

__version__: str
