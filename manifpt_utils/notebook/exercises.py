"""The exercises of all chapters: what a function is tried with, and known mistakes.

The reader writes a function, and `check("1.1", function)` of `notebook.quiz` tries it
(`notebook.trying`) on the small arrays that are kept here.
"""

from . import tasks_attribution, tasks_manifold, tasks_statistics

_TASKS = tasks_manifold.TASKS | tasks_attribution.TASKS | tasks_statistics.TASKS
EXERCISES = dict(
    sorted(_TASKS.items(), key=lambda item: [*map(int, item[0].split("."))])
)
