"""The files of recipes, procedures and plans: those of the program, of the user, or anywhere."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

import platformdirs

from ..errors import BadInput
from ..ops import OPERATIONS
from ..plan.plan import Plan, from_json
from ..shipped import resource_folder

Folder = Literal["recipes", "procedures"]


def known(folder: Folder = "recipes") -> dict[str, Traversable]:
    """The files of a folder by name; those of the user go before those that come with the program."""
    found = dict[str, Traversable]()
    for place in (resource_folder(folder), platformdirs.user_data_path("surgiplan", False) / folder):
        if place.is_dir():
            for file in sorted(place.iterdir(), key=lambda entry: entry.name):
                if file.name.endswith(".json"):
                    found[file.name.removesuffix(".json")] = file
    return found


def named(place: Path) -> Traversable:
    """The file at this place, else the recipe or procedure of this name."""
    return place if place.exists() else (known() | known("procedures")).get(str(place), place)


def steps_of(place: Path) -> list[dict[str, Any]]:
    """The steps of a plan file, or of the recipe of this name.

    Raises BadInput when there is neither, or it holds no plan.
    """
    file = named(place)
    steps = content_of(file).get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise _no_plan(file)
    return steps


def content_of(file: Traversable) -> dict[str, Any]:
    """All that a plan file says; BadInput when it cannot be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise _no_plan(file) from problem
    if not isinstance(content, dict):
        raise _no_plan(file)
    return content


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


def _no_plan(file: Traversable) -> BadInput:
    return BadInput(
        f"{file.name} does not hold a plan and is no recipe: make one with: surgiplan plan CASE, "
        f"or choose one of: {', '.join((*known(), *known('procedures')))}"
    )
