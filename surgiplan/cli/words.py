"""From the words of a command line to the parameters of an operation.

Every value may also be given as JSON, in the shape the plan file has.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Usage
from ..plan.operation import Field, Operation, Ref
from ..plan.plan import from_json, to_json
from ..values import Bits, Plane, Pose, Vec3

POINTS = tuple[Vec3, ...]
FORMS = {
    Ref: "name of a step, or step.output",
    Plane: "px,py,pz;nx,ny,nz   a point and the normal, LPS mm",
    Pose: "dx,dy,dz   or   dx,dy,dz;ax,ay,az;degrees[;cx,cy,cz]   shift, after a turn about an axis at c",
    Vec3: "x,y,z   LPS mm",
    POINTS: "x,y,z;x,y,z;...   LPS mm",
    Bits: "[[k,j,i],...]   indices of voxels",
}


def split_fields(words: Sequence[str]) -> dict[str, str]:
    """`--field value` pairs by the name of the field; dashes inside a name stand for underscores.

    Raises Usage for a word that is no field, and for a field without a value.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise Usage(f"{word!r} is not expected here: give parameters as --field value")
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not rest:
                raise Usage(f"{word} needs a value")
            value = rest.pop(0)
        found[name.replace("-", "_")] = value
    return found


def made(cls: type[Operation[Any]], words: Mapping[str, str]) -> Operation[Any]:
    """A new operation with these parameters."""
    content = {name: read(cls.spec.field(name), text) for name, text in words.items()}
    return from_json(
        {cls.spec.name: cls}, {"operation": cls.spec.name, "version": cls.spec.version, "with": content}
    )


def changed(operation: Operation[Any], words: Mapping[str, str]) -> dict[str, Any]:
    """The new values of some fields of an operation, checked together with its other ones."""
    content = to_json(operation)
    spec = operation.spec
    content["with"] |= {name: read(spec.field(name), text) for name, text in words.items()}
    fresh = from_json({spec.name: type(operation)}, content)
    return {name: getattr(fresh, name) for name in words}


def read(field: Field, text: str) -> Any:
    """One parameter in the shape the plan file has; Usage when the text does not fit its type."""
    text = text.strip()
    if field.optional and text.lower() in ("", "none", "null"):
        return None
    if field.kind is Ref:
        return [part.strip() for part in text.split(",")] if field.many else text
    if field.kind is str or field.choices:
        return text
    try:
        given = json.loads(text)
    except ValueError:
        given = text
    try:
        return _shaped(field, given)
    except (ValueError, TypeError, IndexError) as problem:
        form = FORMS.get(field.kind, getattr(field.kind, "__name__", ""))
        raise Usage(f"{field.name}: {text!r} cannot be read ({problem}); it is given as: {form}") from problem


def _shaped(field: Field, given: Any) -> Any:
    if field.kind is Bits and isinstance(given, list):
        return Bits.of(given).to_text()
    if field.kind in (int, float, bool) or not isinstance(given, str | list):
        return given
    groups = _groups(given)
    if field.kind is Plane:
        point, normal = groups if len(groups) == 2 else (groups[0][:3], groups[0][3:])
        return {"point": point, "normal": normal}
    if field.kind is Pose:
        return {"matrix": _pose(groups).matrix}
    if field.kind == Vec3:
        return groups[0]
    return groups if field.kind == POINTS else given


def _groups(given: str | list[Any]) -> list[list[float]]:
    """Numbers in groups: "1,2;3,4", or a list of numbers, or a list of lists."""
    if isinstance(given, list):
        return [list(map(float, g)) for g in given] if given and isinstance(given[0], list) else [given]
    return [[float(n) for n in group.split(",")] for group in given.split(";") if group.strip()]


def _pose(groups: list[list[float]]) -> Pose:
    if sum(map(len, groups)) == 16:
        return Pose.of(np.reshape(np.concatenate([np.asarray(g) for g in groups]), (4, 4)))
    shift = Pose.of_shift(groups[0])
    if len(groups) == 1:
        return shift
    about = groups[3] if len(groups) > 3 else (0.0, 0.0, 0.0)
    return shift.after(Pose.of_rotation(groups[1], groups[2][0], about))
