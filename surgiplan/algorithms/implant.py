"""Screws and plates from the catalogue, and their shapes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import manifold3d
import numpy as np

from ..errors import BadInput, StepFailed
from ..shipped import resource_folder
from ..values import Mesh
from .storing import require_no_error

SEGMENTS = 128  # facets round a circle
_ROUND = 1 / math.cos(math.pi / SEGMENTS)  # from the radius a facet touches to that of its corners
_ARC = 24  # facets along the underside of a round head

_SCREW = {
    "diameter", "core_diameter", "shaft_diameter", "length", "thread_length", "tip_length",
    "head_diameter", "head_height", "hexagon_width", "hexagon_depth",
}  # fmt: skip
_PLATE = {"length", "width", "thickness", "hole_diameter", "hole_spacing", "end_to_hole"}
_NEEDED = {"screw": _SCREW, "plate": _PLATE}
_OPTIONAL = {"screw": {"underside_radius"}, "plate": {"countersink_diameter", "countersink_depth"}}


@dataclass(frozen=True)
class Implant:
    """An implant of the catalogue.

    id: its key in the catalogue
    name: what it is called on screen
    kind: "screw" or "plate"
    material: what it is made of
    dimensions: mm by name; see `implant_mesh`
    digest: a hash of all this, so that a plan can tell whether the catalogue has changed
    """

    id: str
    name: str
    kind: str
    material: str
    dimensions: Mapping[str, float] = field(hash=False)
    digest: str


@cache
def catalogue() -> Mapping[str, Implant]:
    """All implants there are to choose from, by id.

    Raises BadInput when a file of the catalogue is damaged or names an id twice.
    """
    found: dict[str, Implant] = {}
    for file in sorted(resource_folder("implants").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".json"):
            continue
        implant = read_implant(file.read_text(encoding="utf-8"), file.name)
        if implant.id in found:
            raise BadInput(f"The implant catalogue names {implant.id} twice, the second time in {file.name}.")
        found[implant.id] = implant
    return MappingProxyType(found)


def read_implant(text: str, where: str) -> Implant:
    """Read one entry of the catalogue.

    text: JSON with id, name, kind, material, dimensions_mm and source
    where: the name of the file, for messages
    Raises BadInput when something is missing, unknown, not a number or does not fit together.
    """
    try:
        entry = json.loads(text)
    except ValueError as problem:
        raise BadInput(f"The implant file {where} is not JSON: {problem}.") from problem
    fields = {"id", "name", "kind", "material", "dimensions_mm", "source"}
    if not isinstance(entry, dict) or set(entry) != fields:
        raise BadInput(f"The implant file {where} must hold exactly {', '.join(sorted(fields))}.")
    words = {key: entry[key] for key in fields - {"dimensions_mm"}}
    if any(not isinstance(word, str) or not word.strip() for word in words.values()):
        raise BadInput(f"The implant file {where} has an empty entry or one that is not text.")
    if words["kind"] not in _NEEDED:
        raise BadInput(f"The implant file {where} is of the unknown kind {words['kind']!r}: screw or plate.")
    dimensions = _dimensions(entry["dimensions_mm"], words["kind"], where)
    content = json.dumps([words["id"], words["name"], words["kind"], words["material"], dimensions])
    return Implant(
        id=words["id"],
        name=words["name"],
        kind=words["kind"],
        material=words["material"],
        dimensions=MappingProxyType(dimensions),
        digest=blake2b(content.encode(), digest_size=16).hexdigest(),
    )


def implant_mesh(implant: Implant) -> Mesh:
    """The shape of an implant, in its own coordinates (mm).

    A screw lies along z with its head seat (where the head's underside begins) at the origin: the head
    is at z < 0, the tip at z = length. Its thread is the cylinder that encloses it. Round surfaces have
    128 facets that touch the true radius from outside (corners at most 0.0015 mm beyond for 10 mm
    diameter), so a clearance measured to them is never too large.
    A plate has its length along x, its width along y, its bone side at z = 0, its middle at the origin.
    Its holes let the full hole diameter pass; its rounded ends keep within length and width.

    implant: an entry of the catalogue
    Returns a watertight mesh.
    Raises StepFailed when the dimensions give no solid.
    """
    body = _screw(implant.dimensions) if implant.kind == "screw" else _plate(implant.dimensions)
    require_no_error(body, f"the implant {implant.id} has no shape")
    raw = body.to_mesh64()
    mesh = Mesh(raw.vert_properties[:, :3].astype(np.float32), raw.tri_verts.astype(np.int32))
    if not mesh.watertight or mesh.volume_mm3 <= 0:
        raise StepFailed(f"The dimensions of {implant.id} do not give a solid: check its catalogue entry.")
    return mesh


def _dimensions(given: Any, kind: str, where: str) -> dict[str, float]:
    """The checked dimensions, sorted by name."""
    needed, allowed = _NEEDED[kind], _NEEDED[kind] | _OPTIONAL[kind]
    if not isinstance(given, dict) or not needed <= set(given) <= allowed:
        names = set(given) if isinstance(given, dict) else set()
        raise BadInput(
            f"The dimensions in {where} do not describe a {kind}: "
            f"missing {sorted(needed - names)}, unknown {sorted(names - allowed)}."
        )
    for name, number in given.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1000:
            raise BadInput(
                f"The dimension {name} in {where} must be above 0 and below 1000 mm, not {number!r}."
            )
    numbers = {name: float(given[name]) for name in sorted(given)}
    for wrong, reason in (_screw_faults if kind == "screw" else _plate_faults)(numbers):
        if wrong:
            raise BadInput(f"The dimensions in {where} do not fit together: {reason}.")
    return numbers


def _screw_faults(d: Mapping[str, float]) -> list[tuple[bool, str]]:
    neck = _neck(d)
    underside = d.get("underside_radius", math.inf)
    return [
        (d["core_diameter"] >= d["diameter"], "the core is not thinner than the thread"),
        (d["shaft_diameter"] > d["diameter"], "the shaft is thicker than the thread"),
        (d["thread_length"] > d["length"], "the thread is longer than the screw"),
        (d["tip_length"] >= d["thread_length"], "the tip is not shorter than the thread"),
        (d["head_diameter"] / 2 <= neck, "the head is not wider than the neck"),
        (d["hexagon_depth"] >= d["head_height"], "the hexagon is as deep as the head is high"),
        (d["hexagon_width"] * 2 / math.sqrt(3) >= d["head_diameter"], "the hexagon is wider than the head"),
        (underside < d["head_diameter"] / 2, "the underside is rounder than the head is wide"),
        (_head_rise(d) >= d["head_height"], "the underside is higher than the head"),
    ]


def _plate_faults(d: Mapping[str, float]) -> list[tuple[bool, str]]:
    gaps = (d["length"] - 2 * d["end_to_hole"]) / d["hole_spacing"]
    widest = max(d["hole_diameter"], d.get("countersink_diameter", 0.0))
    return [
        (d["width"] > d["length"], "the plate is wider than long"),
        (gaps < 0 or abs(gaps - round(gaps)) > 1e-6, "the holes do not end evenly on the plate"),
        (
            widest >= min(d["width"], d["hole_spacing"], 2 * d["end_to_hole"]),
            "a hole has no material round it",
        ),
        (("countersink_diameter" in d) != ("countersink_depth" in d), "a countersink needs width and depth"),
        (
            d.get("countersink_diameter", math.inf) <= d["hole_diameter"],
            "the countersink is not wider than the hole",
        ),
        (d.get("countersink_depth", 0.0) >= d["thickness"], "the countersink goes through the plate"),
    ]


def _neck(d: Mapping[str, float]) -> float:
    """Radius right below the head."""
    return (d["diameter"] if d["thread_length"] >= d["length"] else d["shaft_diameter"]) / 2


def _head_rise(d: Mapping[str, float]) -> float:
    """Height of the round underside: a zone of a sphere from the neck to the widest of the head."""
    if "underside_radius" not in d:
        return 0.0
    sphere = d["underside_radius"] ** 2
    widest = max(sphere - (d["head_diameter"] / 2) ** 2, 0.0)
    return math.sqrt(max(sphere - _neck(d) ** 2, 0.0)) - math.sqrt(widest)


def _screw(d: Mapping[str, float]) -> Any:
    neck, head, thread = _neck(d), d["head_diameter"] / 2, d["diameter"] / 2
    profile = [(0.0, -d["head_height"]), (head, -d["head_height"])]
    if rise := _head_rise(d):
        middle = -math.sqrt(d["underside_radius"] ** 2 - neck**2)
        heights = np.linspace(-rise, 0.0, _ARC + 1)[:-1]
        profile += [(math.sqrt(d["underside_radius"] ** 2 - (z - middle) ** 2), z) for z in heights.tolist()]
    else:
        profile.append((head, 0.0))
    profile.append((neck, 0.0))
    if d["thread_length"] < d["length"]:
        begin = d["length"] - d["thread_length"]
        profile += [(neck, begin), (thread, begin)]
    profile += [(thread, d["length"] - d["tip_length"]), (0.0, d["length"])]
    outline = manifold3d.CrossSection([[(r * _ROUND, z) for r, z in profile]])
    body = manifold3d.Manifold.revolve(outline, SEGMENTS)
    corner = d["hexagon_width"] / math.sqrt(3)
    hexagon = manifold3d.Manifold.cylinder(2 * d["hexagon_depth"], corner, corner, 6)
    return body - hexagon.translate((0.0, 0.0, -d["head_height"] - d["hexagon_depth"]))


def _plate(d: Mapping[str, float]) -> Any:
    end = manifold3d.CrossSection.circle(d["width"] / 2, SEGMENTS)
    to_end = (d["length"] - d["width"]) / 2
    outline = manifold3d.CrossSection.batch_hull(
        [end.translate((-to_end, 0.0)), end.translate((to_end, 0.0))]
    )
    body = manifold3d.Manifold.extrude(outline, d["thickness"])
    first = d["length"] / 2 - d["end_to_hole"]
    for x in np.linspace(-first, first, round(2 * first / d["hole_spacing"]) + 1).tolist():
        body -= _hole(d).translate((x, 0.0, 0.0))
    return body


def _hole(d: Mapping[str, float]) -> Any:
    """What is drilled out for one hole, reaching 1 mm beyond both faces."""
    radius = d["hole_diameter"] / 2 * _ROUND
    drill = manifold3d.Manifold.cylinder(d["thickness"] + 2, radius, radius, SEGMENTS).translate(
        (0.0, 0.0, -1.0)
    )
    if "countersink_depth" not in d:
        return drill
    depth, top = d["countersink_depth"], d["countersink_diameter"] / 2 * _ROUND
    beyond = radius + (top - radius) * (depth + 1) / depth
    cone = manifold3d.Manifold.cylinder(depth + 1, radius, beyond, SEGMENTS)
    return drill + cone.translate((0.0, 0.0, d["thickness"] - depth))
