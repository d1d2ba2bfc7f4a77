"""The components of a hip: cups, stems and heads of the catalogue, and their shapes."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import manifold3d
import numpy as np

from ...errors import BadInput
from ...shipped import resource_folder
from ...values import Mesh
from .hip import Stem

_FACETS = 96  # round a circle
_ARC = 24
_TIP_MM = 8.0  # the end of a stem is a cone


@dataclass(frozen=True)
class Components:
    """What there is to choose from.

    cups: outer diameter in mm by name, the smallest first
    wall_mm: thickness of a cup
    stems: by name, the smallest first
    heads_mm: diameters
    neck_mm: diameter of the neck of a stem
    """

    cups: Mapping[str, float]
    wall_mm: float
    stems: Mapping[str, Stem]
    heads_mm: tuple[float, ...]
    neck_mm: float


@cache
def components() -> Components:
    """The components of the catalogue; BadInput when its file is damaged."""
    return read_components(
        resource_folder("prostheses").joinpath("hip.json").read_text(encoding="utf-8"), "hip.json"
    )


def read_components(text: str, where: str) -> Components:
    """Read a catalogue of hip components.

    text: JSON with cups_mm, cup_wall_mm, heads_mm, neck_diameter_mm, stems and source
    where: the name of the file, for messages
    Raises BadInput when something is missing, no number, or does not fit together.
    """
    try:
        content = json.loads(text)
        stems = [_stem(one) for one in content["stems"]]
        made = Components(
            MappingProxyType({f"cup-{size:g}": float(size) for size in sorted(content["cups_mm"])}),
            float(content["cup_wall_mm"]),
            MappingProxyType({stem.item: stem for stem in stems}),
            tuple(float(size) for size in content["heads_mm"]),
            float(content["neck_diameter_mm"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadInput(
            f"The hip catalogue {where} is not complete or holds what is no number: {problem}."
        ) from problem
    widest = max(made.heads_mm, default=math.inf)
    if not made.cups or not made.stems or min(made.cups.values()) - 2 * made.wall_mm < widest - 1e-9:
        raise BadInput(
            f"The hip catalogue {where} does not fit together: the largest head fills the smallest cup."
        )
    if any(not 0 < stem.tip_mm <= stem.top_mm or stem.length_mm <= 2 * _TIP_MM for stem in stems):
        raise BadInput(f"The hip catalogue {where} has a stem that is not thicker above, or too short.")
    return made


def _stem(given: Mapping[str, Any]) -> Stem:
    sizes = ("top_mm", "tip_mm", "length_mm", "neck_degrees", "neck_mm")
    return Stem(str(given["item"]), *(float(given[name]) for name in sizes))


def cup_mesh(diameter_mm: float, wall_mm: float) -> Mesh:
    """A cup: half a hollow ball, its centre in the origin, open towards z."""
    outer, turn = diameter_mm / 2, np.linspace(-math.pi / 2, 0, _ARC + 1)
    inner = outer - wall_mm
    profile = [(outer * math.cos(t), outer * math.sin(t)) for t in turn.tolist()]
    profile += [(inner * math.cos(t), inner * math.sin(t)) for t in turn[::-1].tolist()]
    return _mesh(_turned(profile))


def head_mesh(diameter_mm: float) -> Mesh:
    """A head: a ball round the origin."""
    return _mesh(manifold3d.Manifold.sphere(diameter_mm / 2, _FACETS))


def stem_mesh(stem: Stem, head_mm: float, neck_mm: float) -> Mesh:
    """A stem and its neck up to the centre of the head; z to the tip, x towards the head.

    head_mm: length of the head that sits on it
    neck_mm: diameter of the neck
    """
    end = stem.length_mm - _TIP_MM
    body = _turned(
        [
            (0.0, 0.0),
            (stem.top_mm / 2, 0.0),
            (float(stem.radius(end)), end),
            (stem.tip_mm / 4, stem.length_mm),
            (0.0, stem.length_mm),
        ]
    )
    head = stem.head(head_mm)
    reach, lean = float(np.linalg.norm(head)), math.degrees(math.atan2(head[0], head[2]))
    neck = manifold3d.Manifold.cylinder(reach, neck_mm / 2, neck_mm / 2 * 0.85, _FACETS).rotate(
        (0.0, lean, 0.0)
    )
    joint = manifold3d.Manifold.sphere(max(neck_mm, stem.top_mm) / 2, _FACETS)
    return _mesh(body + neck + joint)


def _turned(profile: list[tuple[float, float]]) -> Any:
    return manifold3d.Manifold.revolve(manifold3d.CrossSection([profile]), _FACETS)


def _mesh(body: Any) -> Mesh:
    raw = body.to_mesh64()
    return Mesh(raw.vert_properties[:, :3].astype(np.float32), raw.tri_verts.astype(np.int32))
