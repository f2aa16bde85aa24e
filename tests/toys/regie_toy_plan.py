"""A small workflow: its plan, which imports nothing of Prefect."""

from lib.runs.plan import Phase, Workflow

TOY = Workflow(
    "toy",
    "Toy",
    "regie_toy:toy",
    (
        Phase(1, "start", "Start", "regie_toy:start", "base"),
        Phase(2, "left", "Left", "regie_toy:left", "base", ("start",), ("start",)),
        Phase(3, "right", "Right", "regie_toy:right", "base", ("start",), ("start",)),
        Phase(4, "join", "Join", "regie_toy:join", "base", ("left", "right"), ("left",)),
        Phase(5, "last", "Last", "regie_toy:last", "scenes", ("start", "join"), ("start",)),
    ),
)
