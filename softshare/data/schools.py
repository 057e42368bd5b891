"""Mathematics in 160 American high schools: a table with a task column that comes with the package.

7,185 pupils of the survey *High School and Beyond* of 1982 (National Center for Education
Statistics, US Department of Education; in the public domain), in the selection of Raudenbush and
Bryk (2002), *Hierarchical Linear Models*, chapter 4.
"""

from __future__ import annotations

from importlib.resources import as_file, files

from softshare.data.table import read_table
from softshare.tasks.task_set import TaskSet

TABLE = "files/schools.csv.gz"


def load() -> TaskSet:
    """A task a school: a pupil's score in mathematics, by their family and their school.

    Inputs are whether a pupil is of a minority (``minrty``), sex (``sx``), the socio-economic
    status of the family (``ses``) and its mean in the school (``meanses``), and whether the school
    is public or Catholic (``sector``).
    """
    with as_file(files("softshare.data").joinpath(TABLE)) as path:
        return read_table(path, task="school", target="math")
