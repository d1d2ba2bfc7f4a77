"""Recipes and plan files: plans of the program, of the user's folder or of any file, put on a case."""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import platformdirs

from ..errors import BadInput, NeedsHand
from ..ops import OPERATIONS
from ..plan.plan import Plan, from_json
from ..session import Failed, Waiting
from ..shipped import resource_folder
from .verbs import entry_of, line_of, opened
from .words import say

FOLDER = "recipes"


def recipes(arguments: Namespace) -> int:
    """List the recipes with what each makes, what it needs and where it asks for a hand."""
    rows = []
    for name, file in known().items():
        content = content_of(file)
        rows.append({"name": name} | {key: str(content.get(key, "")) for key in ("title", "needs", "hand")})
    lines = []
    for row in rows:
        lines.append(f"{row['name']:<12}{row['title']}")
        lines += [f"{'':12}{word}: {row[word]}" for word in ("needs", "hand") if row[word]]
    say(arguments, rows, "\n".join(lines))
    return 0


def apply(arguments: Namespace) -> int:
    """Put the steps of a plan file or of a recipe on this case and compute them."""
    steps = steps_of(arguments.plan)
    with opened(arguments.case) as session:
        made = joined(session.plan, steps, arguments.keep)
        session.commit(made, f"apply {arguments.plan.stem}")
        session.pursue().result()
        results = session.results()
        entries = [entry_of(made, name, result) for name, result in results.items()]
    say(arguments, {"steps": entries}, "\n".join(map(line_of, entries)))
    troubles = [r.error for r in results.values() if isinstance(r, Failed | Waiting) and r.error is not None]
    troubles.sort(key=lambda problem: isinstance(problem, NeedsHand))
    if troubles:
        raise troubles[0]
    return 0


def joined(own: Plan, steps: Sequence[Mapping[str, Any]], keep: bool = False) -> Plan:
    """The sources of a case with the other steps of a plan file on top.

    keep: let all steps of the case stay, and put those of the file below them
    Raises BadInput when a source of the file has no counterpart of its name and kind in the case.
    """
    made = own if keep else Plan(tuple(step for step in own.steps if step.operation.spec.name == "source"))
    for content in steps:
        name, operation = str(content.get("name", "")), from_json(OPERATIONS, content)
        if operation.spec.name != "source":
            made = made.add(name, operation, str(content.get("note", "")))
        elif name not in made.names or made[name].operation.outputs() != operation.outputs():
            raise BadInput(f"the plan needs a source {name!r} of its kind: import it with --name {name}")
    return made


def known() -> dict[str, Traversable]:
    """The recipes by name; those of the user go before those that come with the program."""
    found = dict[str, Traversable]()
    for folder in (resource_folder(FOLDER), platformdirs.user_data_path("surgiplan", False) / FOLDER):
        if folder.is_dir():
            for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
                if file.name.endswith(".json"):
                    found[file.name.removesuffix(".json")] = file
    return found


def steps_of(place: Path) -> list[dict[str, Any]]:
    """The steps of a plan file, or of the recipe of this name.

    Raises BadInput when there is neither, or it holds no plan.
    """
    file: Traversable = place if place.exists() else known().get(str(place), place)
    steps = content_of(file).get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise _no_plan(file)
    return steps


def content_of(file: Traversable) -> dict[str, Any]:
    """All that a plan file says."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise _no_plan(file) from problem
    if not isinstance(content, dict):
        raise _no_plan(file)
    return content


def _no_plan(file: Traversable) -> BadInput:
    return BadInput(
        f"{file.name} does not hold a plan and is no recipe: make one with: surgiplan plan CASE, "
        f"or choose one of: {', '.join(known())}"
    )
