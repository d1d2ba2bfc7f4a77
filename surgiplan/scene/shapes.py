"""Which shapes of a plan are seen, in which colour, and how solid."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from ..plan.plan import Plan, Step
from ..values import Bits, EdgeMap, GapMap, Mask, Part, Pose, Tolerance, Volume, WallMap
from .bands import band
from .boxes import box_of
from .items import Colour, Scalars, Surface
from .view import Results, View, each_output, value_of

T = TypeVar("T")
IVORY, METAL, SAW = "#EADFC8", "#9FB2C4", "#E5484D"
# Okabe and Ito's colours (jfly.uni-koeln.de/color), told apart under every common colour blindness
PALETTE = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#0072B2", "#D55E00")
GHOST, THROUGH, SAW_OPACITY, VEIL = 0.4, 0.66, 0.75, 0.12
# what a step only looks at while it makes a shape; every other shape given to it is used up by it
_LOOKED_AT = frozenset(
    {
        ("mirror", "part"),
        ("register", "fixed"),
        ("socket", "limb"),
        ("reach", "bodies"),
        ("reach", "spared"),
        ("move", "into"),
        ("plan_screw", "bone"),
        ("template_hip", "canal"),
    }
)

_COMPONENTS = frozenset(
    {("plan_screw", "screw"), ("template_hip", "cup"), ("template_hip", "stem"), ("template_hip", "head")}
)


def surfaces(plan: Plan, results: Results, view: View) -> tuple[Surface, ...]:
    """The shapes that are seen, in the order of the plan.

    A step that makes a shape out of another takes its place (a cut bone is not shown beside its two
    sides), unless it only looks at it (a mirror image stands beside its original). The used-up shape
    comes back, see-through, while its step is the chosen one, and it stays while the step that would
    use it up has no value. A map of gaps hides the plain shape it lies on, and the body it is held against
    becomes a veil, for a colour seen through another one would be read wrongly. A shape round an implant,
    a mirror image and a socket are see-through. An opacity that the person has set comes before all this.
    """
    used, colours = used_up(plan, results), colours_of(plan)
    found: list[Surface] = []
    for step in plan.steps:
        result = results.get(step.name)
        for name, value in each_output(step.name, value_of(result)):
            chosen = step.name == view.chosen
            if view.hides(name) or (name in used and not chosen):
                continue
            if isinstance(value, Part) and name not in colours:
                continue  # an older value, from before its results were renamed
            if isinstance(value, Part) and len(value.mesh.triangles):
                opacity = GHOST if name in used else _usual_opacity(step, name)
                one = Surface(name, value.mesh, value.pose, colours[name], opacity, chosen=chosen)
            elif isinstance(value, GapMap):
                one = _mapped(name, value, chosen)
            elif isinstance(value, WallMap):
                one = _walled(name, value, chosen)
            elif isinstance(value, EdgeMap):
                one = _edged(name, value, chosen)
            elif isinstance(value, Tolerance):
                one = band(name, value, chosen)
            else:
                continue
            found.append(replace(one, dimmed=result is not None and result.status == "stale"))
    return tuple(_with_set_opacity(_veiled(plan, _seen_into(_not_under_maps(found))), view))


def used_up(plan: Plan, results: Results) -> frozenset[str]:
    """Names of the shapes that a later shape has taken the place of."""
    return frozenset(
        str(ref)
        for step in plan.steps
        if value_of(results.get(step.name)) is not None
        for ref in _used_by(step)
    )


def colours_of(plan: Plan) -> Mapping[str, Colour]:
    """The colour of each shape by name; it depends on the steps above it alone.

    The first shape is ivory, an implant and a tool metal, a kerf red, every further one has the next colour
    of the palette. What takes the place of a shape keeps its colour (the first output, when there are
    several).
    """
    colours: dict[str, Colour] = {}
    spare = _palette()
    for step in plan.steps:
        heir: Colour | None = None
        for ref in _used_by(step):
            heir = heir or colours.get(str(ref))
        for output, kind in step.operation.outputs().items():
            if not issubclass(kind, Part):
                continue
            name = f"{step.name}.{output}" if output else step.name
            if output == "kerf":
                colours[name] = SAW
            elif _is_implant(step, output) or output == "tool":
                colours[name] = METAL
            else:
                colours[name], heir = heir or next(spare), None
    return colours


def _palette() -> Iterator[Colour]:
    yield IVORY
    while True:
        yield from PALETTE


def _used_by(step: Step) -> Iterator[object]:
    if any(issubclass(kind, Part) for kind in step.operation.outputs().values()):
        spec = step.operation.spec
        for field, refs in step.references.items():
            takes = spec.field(field).takes
            if takes is not None and issubclass(takes, Part) and (spec.name, field) not in _LOOKED_AT:
                yield from refs


def _is_implant(step: Step, output: str = "") -> bool:
    """Made of no shape above, and placed: it comes from a catalogue."""
    spec = step.operation.spec
    if (spec.name, output) in _COMPONENTS:
        return True
    placed = all(spec.field(name).takes is Pose for name in step.references)
    return placed and any(field.kind is Pose for field in spec.fields)


def _usual_opacity(step: Step, name: str) -> float:
    if name.endswith(".kerf"):
        return SAW_OPACITY
    if (step.operation.spec.name, name.partition(".")[2]) in _COMPONENTS:
        return 1.0
    looks = any((step.operation.spec.name, field) in _LOOKED_AT for field in step.references)
    return THROUGH if looks and not any(_used_by(step)) else 1.0


def _mapped(name: str, value: GapMap, chosen: bool) -> Surface:
    """A shape coloured by its gaps: both ends alike round 0 when it digs in anywhere, else from 0 up."""
    reach = max(_rounded_up(value.p95_mm), 0.1)
    low = -reach if len(value.gap_mm) and float(value.gap_mm.min()) < 0 else 0.0
    scalars = Scalars(value.gap_mm, low, reach, "gap")
    return Surface(name, value.part.mesh, value.part.pose, IVORY, chosen=chosen, scalars=scalars)


def _walled(name: str, value: WallMap, chosen: bool) -> Surface:
    """A bone coloured by its walls, from nothing to twice the thinnest that the scan shows rightly."""
    reach = _rounded_up(2 * value.thin_mm if value.thin_mm > 0 else value.mean_mm)
    capped = np.minimum(value.wall_mm, np.float32(reach))
    scalars = Scalars(capped, 0.0, reach, "wall")
    return Surface(name, value.part.mesh, value.part.pose, IVORY, chosen=chosen, scalars=scalars)


def _edged(name: str, value: EdgeMap, chosen: bool) -> Surface:
    """A surface coloured by its way from the grey edge, both sides alike; grey where it has none."""
    reach = max(_rounded_up(value.edge_p95_mm), 0.01)
    scalars = Scalars(value.off_mm, -reach, reach, "off edge")
    return Surface(name, value.part.mesh, value.part.pose, IVORY, chosen=chosen, scalars=scalars)


def _rounded_up(length_mm: float) -> float:
    """The next length with one digit, such as 0.3 or 4 mm."""
    power = 10.0 ** np.floor(np.log10(max(length_mm, 1e-3)))
    return float(np.ceil(length_mm / power - 1e-9) * power)


def _not_under_maps(found: list[Surface]) -> list[Surface]:
    mapped = [(s.mesh.digest, s.pose) for s in found if s.scalars is not None]
    return [s for s in found if s.scalars is not None or (s.mesh.digest, s.pose) not in mapped]


def _veiled(plan: Plan, found: list[Surface]) -> list[Surface]:
    """Make a veil of what stands before a map of gaps."""
    steps = [plan[s.name.partition(".")[0]] for s in found if s.scalars is not None]
    against = {str(ref) for step in steps for refs in step.references.values() for ref in refs}
    return [
        replace(s, opacity=VEIL) if s.name in against and s.scalars is None and not s.chosen else s
        for s in found
    ]


def _seen_into(found: list[Surface]) -> list[Surface]:
    """Make see-through what an implant lies in or on."""
    implants = [box_of(s.mesh, s.pose) for s in found if s.colour == METAL]
    if not implants:
        return found

    def meets(one: Surface) -> bool:
        low, high = box_of(one.mesh, one.pose)
        return any(bool((low <= box[1]).all() and (box[0] <= high).all()) for box in implants)

    return [
        replace(s, opacity=THROUGH)
        if s.colour != METAL and s.scalars is None and s.opacity == 1.0 and meets(s)
        else s
        for s in found
    ]


def _with_set_opacity(found: list[Surface], view: View) -> Iterator[Surface]:
    opacities = dict(view.opacities)
    for one in found:
        given = opacities.get(one.name)
        yield one if given is None else replace(one, opacity=float(np.clip(given, 0.0, 1.0)))


def shown_volume(plan: Plan, results: Results, view: View) -> Volume | None:
    """The scan of the 2D views: the chosen step's own, else the one the view names, else the first."""
    scans = _by_step(plan, results, Volume)
    for name in (view.chosen, view.volume):
        if name is not None and name in scans:
            return scans[name]
    return next(iter(scans.values()), None)


def chosen_mask(plan: Plan, results: Results, view: View) -> Mask | None:
    """The mask that is laid over the 2D views: of the chosen step, or what it will be painted on."""
    masks = _by_step(plan, results, Mask)
    if view.chosen in masks or view.chosen not in plan.names:
        return masks.get(view.chosen or "")
    step = plan[view.chosen or ""]
    if not any(field.kind is Bits for field in step.operation.spec.fields):
        return None
    below = (masks.get(ref.step) for refs in step.references.values() for ref in refs)
    return next((mask for mask in below if mask is not None), None)


def labelled_masks(plan: Plan, results: Results, view: View) -> tuple[tuple[str, Colour, Mask], ...]:
    """Name, colour and voxels of the masks besides the chosen one that have a colour and are not hidden."""
    return tuple(
        (name, plan[name].label.colour, mask)
        for name, mask in _by_step(plan, results, Mask).items()
        if name != view.chosen and plan[name].label.colour and not view.hides(name)
    )


def _by_step(plan: Plan, results: Results, kind: type[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for step in plan.steps:
        for _, value in each_output(step.name, value_of(results.get(step.name))):
            if isinstance(value, kind):
                found.setdefault(step.name, value)
    return found
