"""The numbers by which a value is known: for the list, the command line and the evidence."""

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from .codec import Value, digest
from .findings import Agreement, Collision, EdgeMap, GapMap, Measurement, Profile, RangeOfMotion, WallMap
from .frames import Plane, Pose
from .landmarks import Landmarks
from .mesh import Part
from .tolerance import Tolerance
from .volume import Mask, Volume

Figures = dict[str, Any]


def figures(value: Value) -> Figures:
    """Plain numbers of a value, ready for JSON; one mapping per output for several values."""
    if isinstance(value, dict):
        return {name: figures(one) for name, one in value.items()}
    told = _TOLD.get(type(value))
    return told(value) if told is not None else {"value": value}


def fingerprint(value: Value) -> Figures:
    """The figures of a value with its digest (and Euler number): evidence to compare a later run with."""
    print_ = figures(value) | {"digest": digest(value)}
    if isinstance(value, Part):
        print_["euler_number"] = value.mesh.euler_number
    return print_


def _of_collision(found: Collision) -> Figures:
    told = {name: list(one) if isinstance(one, tuple) else one for name, one in asdict(found).items()}
    unsaid = {"meant"} if found.meant == "apart" else set()
    return {name: one for name, one in told.items() if one is not None and name not in unsaid}


def _of_range(found: RangeOfMotion) -> Figures:
    """The least angle with its side and place, and how many sides touch."""
    least = int(found.angle_deg.argmin())
    return {
        "least_deg": float(found.angle_deg[least]),
        "least_towards": [float(one) for one in found.towards[least]],
        "least_lps": list(found.least_lps) if found.least_lps else None,
        "mean_deg": float(found.angle_deg.mean()),
        "sides": len(found.angle_deg),
        "touching": found.touching,
        "limit_deg": found.limit_deg,
        "angles_deg": [round(float(one), 4) for one in found.angle_deg],
    }


def _of_gap(gap: GapMap) -> Figures:
    """The numbers without those of each point."""
    return {
        "mean_mm": gap.mean_mm,
        "p95_mm": gap.p95_mm,
        "max_mm": gap.max_mm,
        "contact_share": gap.contact_share,
        "contact_mm": gap.contact_mm,
    }


def _of_tolerance(found: Tolerance) -> Figures:
    """The numbers without those of each trial."""
    names = ("margin", "margin_mean", "margin_p5", "margin_p95", "least_margin", "breach_mean", "breach_p95")
    lengths = {f"{name}_mm": getattr(found, f"{name}_mm") for name in (*names, "most_breach", "place_sd")}
    chances = {name: getattr(found, name) for name in ("short_chance", "deep_chance")}
    return lengths | chances | {"angle_sd_deg": found.angle_sd_deg, "trials": found.trials}


def _of_landmarks(found: Landmarks) -> Figures:
    return {
        "landmarks": {name: list(place) for name, place in found.places.items()},
        "template": found.template,
        "side": found.side,
    }


def _of_profile(found: Profile) -> Figures:
    return {
        "length_mm": float(found.at_mm[-1]) if len(found.at_mm) else 0.0,
        "samples": len(found.at_mm),
        "profile_unit": found.unit,
        "at_mm": found.at_mm.tolist(),
        "grey": found.grey.tolist(),
    }


def _of_measurement(found: Measurement) -> Figures:
    """What is needed to read the number rightly; what the definition does not tell is left out."""
    told = {"id": found.id, "frame": found.frame, "sign": found.sign, "landmarks": list(found.landmarks)}
    return {
        "value": found.value,
        "unit": found.unit,
        "definition": found.definition,
        "expected_error": found.expected_error,
    } | {name: words for name, words in told.items() if words}


def _of_plane(plane: Plane) -> Figures:
    return {"point": list(plane.point), "normal": list(plane.normal)}


def _of_pose(pose: Pose) -> Figures:
    """The motion of the origin, the turn, and the whole matrix."""
    return {"shift_mm": pose.shift.tolist(), "turn_deg": pose.degrees, "matrix": pose.array.tolist()}


def _of_part(part: Part) -> Figures:
    numbers = {
        "volume_mm3": part.mesh.volume_mm3,
        "area_mm2": part.mesh.area_mm2,
        "bounds_lps": part.bounds_lps.tolist(),
        "watertight": part.mesh.watertight,
        "triangles": len(part.mesh.triangles),
    }
    told = {"deviation": part.deviation, "change": part.change}
    return numbers | {name: asdict(one) for name, one in told.items() if one is not None}


def _of_mask(mask: Mask) -> Figures:
    """A mask has voxels, not a surface: area, watertight and triangles are null."""
    count = int(np.count_nonzero(mask.voxels))
    return {
        "volume_mm3": mask.volume_mm3,
        "area_mm2": None,
        "bounds_lps": _mask_bounds(mask).tolist() if count else None,
        "watertight": None,
        "triangles": None,
        "voxels": count,
    }


def _mask_bounds(mask: Mask) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(2, 3) box round the centres of the chosen voxels in patient space."""
    low, high = [], []
    for axis in range(3):
        others = tuple(n for n in range(3) if n != axis)
        hit = np.flatnonzero(mask.voxels.any(axis=others))
        low.append(hit[0])
        high.append(hit[-1])
    choice = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    corners = mask.grid.to_lps(np.where(choice == 0, low, high))
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _of_wall(wall: WallMap) -> Figures:
    """The numbers without those of each point."""
    left_out = {"part", "wall_mm"}
    numbers = {f.name: getattr(wall, f.name) for f in fields(wall) if f.name not in left_out}
    return numbers | {"thinnest_lps": list(wall.thinnest_lps), "resting_lps": [*map(list, wall.resting_lps)]}


def _of_edge(edge: EdgeMap) -> Figures:
    """The numbers without those of each point."""
    numbers = {f.name: getattr(edge, f.name) for f in fields(edge) if f.name not in {"part", "off_mm"}}
    return numbers | {"at_lps": list(edge.at_lps)}


def _of_agreement(found: Agreement) -> Figures:
    """The numbers by field, and beside them what each is."""
    numbers = asdict(found)
    numbers["at_lps"] = list(found.at_lps)
    told = found.measurements.items()
    return numbers | {
        "definitions": {name: f"{one.definition} ({one.unit or 'share'})" for name, one in told}
    }


def _of_volume(volume: Volume) -> Figures:
    corners = volume.grid.corners_lps
    return {
        "shape": list(volume.grid.shape_kji),
        "spacing_mm": list(volume.grid.spacing_kji),
        "kji_to_lps": volume.grid.kji_to_lps.tolist(),
        "bounds_lps": [corners.min(axis=0).tolist(), corners.max(axis=0).tolist()],
        "modality": volume.modality,
        "unit": volume.unit,
        "lowest": float(volume.voxels.min()),
        "highest": float(volume.voxels.max()),
    }


_TOLD: dict[type, Callable[[Any], Figures]] = {
    Part: _of_part,
    Plane: _of_plane,
    Pose: _of_pose,
    Mask: _of_mask,
    Volume: _of_volume,
    Collision: _of_collision,
    Measurement: _of_measurement,
    Landmarks: _of_landmarks,
    Profile: _of_profile,
    GapMap: _of_gap,
    WallMap: _of_wall,
    EdgeMap: _of_edge,
    RangeOfMotion: _of_range,
    Agreement: _of_agreement,
    Tolerance: _of_tolerance,
}
