"""From the words of a command line to the parameters of an operation.

Every value may also be given as JSON, in the shape the plan file has.
"""

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Usage
from ..plan.operation import Field, Operation, Ref
from ..plan.plan import from_json, to_json
from ..values import Bits, Places, Plane, Pose, Vec3

POINTS = tuple[Vec3, ...]
FORMS = {
    Ref: "name of a step, or step.output",
    Plane: "px,py,pz;nx,ny,nz   a point and the normal, LPS mm",
    Pose: "dx,dy,dz   or   dx,dy,dz;ax,ay,az;degrees[;cx,cy,cz]   shift, after a turn about an axis at c",
    Vec3: "x,y,z   LPS mm",
    POINTS: "x,y,z;x,y,z;...   LPS mm",
    Bits: "k,j,i;k,j,i;...   indices of voxels",
    Places: "name=x,y,z name=x,y,z ...   LPS mm",
}


def say(arguments: Namespace, data: Any, text: str) -> None:
    """Print the data as JSON when asked for, else the text."""
    print(json.dumps(data, indent=1, ensure_ascii=False, default=str) if arguments.json else text)


def split_fields(words: Sequence[str]) -> dict[str, str]:
    """`--field value` pairs by the name of the field; dashes inside a name stand for underscores.

    A value may go on with further words of the form name=..., as landmarks do.

    Raises Usage for a word that is no field, and for a field without a value.
    """
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise Usage(f"{word!r} is not expected here: give parameters as --field value")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name in found:
            raise Usage(f"{word.split('=')[0]} is given twice: give it once")
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise Usage(f"{word} needs a value")
            value = rest.pop(0)
        while rest and "=" in value and "=" in rest[0] and not rest[0].startswith("--"):
            value += f" {rest.pop(0)}"
        found[name] = value
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
    if field.kind is Bits:
        return _bits(given)
    if field.kind is Places:
        return _places(given)
    if field.kind in (int, float, bool) or not isinstance(given, str | list):
        return given
    groups = _groups(given)
    if field.kind is Pose:
        return {"matrix": _pose(groups).matrix}
    if field.kind is Plane and len(groups) == 1:
        groups = [groups[0][:3], groups[0][3:]]
    wrong = next((g for g in groups if len(g) != 3), None)
    if wrong is not None:
        raise ValueError(f"a place or a direction has 3 numbers, not {len(wrong)}")
    if field.kind is Plane:
        point, normal = _exactly(2, groups)
        return {"point": point, "normal": normal}
    if field.kind == Vec3:
        return _exactly(1, groups)[0]
    return groups if field.kind == POINTS else given


def _exactly(count: int, groups: list[list[float]]) -> list[list[float]]:
    if len(groups) != count:
        raise ValueError(f"{len(groups)} groups of numbers, {count} would be right")
    return groups


def _bits(given: Any) -> Any:
    """The text of voxels: as the plan file has it, or of their indices."""
    if not isinstance(given, list) and not (isinstance(given, str) and set(given) <= set("0123456789-,; ")):
        return given
    return Bits.of([[int(n) for n in group] for group in _groups(given)]).to_text()


def _places(given: Any) -> Any:
    """The places as the plan file has them, or of words "name=x,y,z"."""
    if not isinstance(given, str):
        return given
    found: dict[str, list[float]] = {}
    for word in given.replace(";", " ").split():
        name, equals, numbers = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} has no name: write name=x,y,z without blanks")
        if name in found:
            raise ValueError(f"{name} is given twice")
        found[name] = _exactly(1, _groups(numbers))[0]
        if len(found[name]) != 3:
            raise ValueError(f"{name} has {len(found[name])} numbers, 3 would be right")
    return found


def _groups(given: str | list[Any]) -> list[list[float]]:
    """Numbers in groups: "1,2;3,4", "1 2; 3 4", a list of numbers, or a list of lists."""
    if isinstance(given, list):
        return [list(map(float, g)) for g in given] if given and isinstance(given[0], list) else [given]
    groups = [group.replace(",", " ").split() for group in given.split(";") if group.strip()]
    return [[_number(n) for n in group] for group in groups]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def _pose(groups: list[list[float]]) -> Pose:
    if sum(map(len, groups)) == 16:
        return Pose.of(np.reshape(np.concatenate([np.asarray(g) for g in groups]), (4, 4)))
    sizes = [len(group) for group in groups]
    if sizes not in ([3], [3, 3, 1], [3, 3, 1, 3]):
        raise ValueError(f"its groups have {', '.join(map(str, sizes))} numbers")
    shift = Pose.of_shift(groups[0])
    if len(groups) == 1:
        return shift
    about = groups[3] if len(groups) > 3 else (0.0, 0.0, 0.0)
    return shift.after(Pose.of_rotation(groups[1], groups[2][0], about))


def of_shape(numbers: Mapping[str, Any]) -> list[str]:
    """The figures of a shape: its triangles, how true it is, what was done to it, how thin its walls are."""
    parts: list[str] = []
    if numbers.get("triangles"):
        parts.append(f"{numbers['triangles']} triangles, {'closed' if numbers['watertight'] else 'open'}")
    if (true := numbers.get("deviation")) and true["edge_mean_mm"] is not None:
        smoothed = ", smoothed for the noise" if true.get("way") == "smoothed" else ""
        parts.append(
            f"from the grey edge mean {true['edge_mean_mm']:.3f}, p95 {true['edge_p95_mm']:.3f}, "
            f"max {true['edge_max_mm']:.3f} mm{smoothed}"
        )
    if moved := numbers.get("change"):
        mm = f"mean {moved['mean_mm']:.3f}, p95 {moved['p95_mm']:.3f}, max {moved['max_mm']:.3f} mm"
        parts += [*moved["done"], f"moved {mm}"]
    if "thin_share" in numbers:
        share = f"{100 * numbers['thin_share']:.1f} % too thin for the scan"
        parts.append(f"thinnest wall {numbers['min_mm']:.2f} mm, {share}")
    return parts
