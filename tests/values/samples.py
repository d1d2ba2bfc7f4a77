"""Values, and strategies for them, that several tests of this room use."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from surgiplan.values import (
    Agreement,
    Collision,
    Deviation,
    Finding,
    FloatArray,
    GapMap,
    Grid,
    Landmarks,
    Mask,
    Measurement,
    Mesh,
    Part,
    Places,
    Plane,
    Pose,
    Profile,
    RangeOfMotion,
    Tolerance,
    Value,
    Vec3,
    Volume,
)

FRAME = "1.2.3.4"
TETRA_POINTS = ((0, 0, 0), (3, 0, 0), (0, 4, 0), (0, 0, 5))
TETRA_TRIANGLES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))

coordinates = st.floats(-2000, 2000, allow_nan=False)
points = st.tuples(coordinates, coordinates, coordinates)
_unit = st.floats(-1, 1, allow_nan=False)
directions = st.tuples(_unit, _unit, _unit).filter(lambda v: np.linalg.norm(v) > 1e-3)


def tetra() -> Mesh:
    """Legs of 3, 4 and 5 mm: 10 mm3."""
    return Mesh(np.array(TETRA_POINTS, np.float32), np.array(TETRA_TRIANGLES, np.int32))


def axial_affine(spacing_kji: Vec3 = (1.2, 0.7, 0.9), origin: Vec3 = (-31.5, 12.25, 77.0)) -> FloatArray:
    affine = np.eye(4)
    affine[:3, :3] = np.diag(spacing_kji[::-1])[:, ::-1]
    affine[:3, 3] = origin
    return affine


def grid() -> Grid:
    return Grid((3, 4, 5), axial_affine(), FRAME)


def volume(dtype: type = np.int16) -> Volume:
    voxels = np.arange(60).reshape(3, 4, 5).astype(dtype)
    return Volume(grid(), voxels)


def mask() -> Mask:
    voxels = np.zeros((3, 4, 5), np.bool_)
    voxels[1, 1:3, 2:5] = True
    return Mask(grid(), voxels, level=226.0)


def part() -> Part:
    return Part(tetra(), Pose.of_shift((1, 2, 3)).after(Pose.of_rotation((1, 1, 0), 30)), FRAME)


def values() -> dict[str, Value]:
    """One of each kind, and the ways they are put together."""
    body = part()
    at = (1.5, -2.5, 3.0)
    return {
        "nothing": None,
        "truth": True,
        "whole": -(2**70),
        "number": 0.1,
        "text": 'Düsseldorf "µ" $array\n',
        "tuple": (1, (2.5, None), "x"),
        "array": np.arange(24, dtype=np.int32).reshape(2, 3, 4)[:, ::2],
        "grid": grid(),
        "int16": volume(),
        "float32": volume(np.float32),
        "mask": mask(),
        "mesh": tetra(),
        "no mesh": Mesh(np.zeros((0, 3)), np.zeros((0, 3))),
        "part": body,
        "pose": body.pose,
        "plane": Plane(at, (1, 2, 3)),
        "measurement": Measurement(12.5, "mm", "distance", (at, at), FRAME, 0.2),
        "version": Measurement(
            14.0, "deg", "torsion", (at,), id="x.y", frame="f", sign="+", landmarks=("a",)
        ),
        "profile": Profile(np.arange(3.0), np.array([1.0, 5.0, 2.0]), "HU", (at, (0, 0, 0)), FRAME),
        "landmarks": Landmarks(
            Places({"head_centre": at, "knee": (0, 1, 2)}), "femur", "left", FRAME, (1.0, None)
        ),
        "collision": Collision(0.5, 0.0, False, at, 0.01),
        "gap map": GapMap(body, np.linspace(-1, 1, 4), 0.5, 0.1, 0.9, 1.0, 0.3),
        "range of motion": RangeOfMotion(
            joint=Plane(at, (0, 0, 1)),
            towards=np.eye(3)[:2],
            angle_deg=np.array([40.5, 90]),
            touch_lps=np.array([at, [np.nan] * 3]),
            limit_deg=90.0,
            frame_uid=FRAME,
        ),
        "agreement": Agreement(0.9, 0.82, 3.0, 1.5, 0.4, 0.97, 1.0, 100.0, 110.0, at),
        "tolerance": Tolerance(
            *(6.0, 5.9, 2.0, 9.9, 5.0, 0.3, 0.1, 0.5, 2.0, 0.01, 2, 2.5, 2.0),
            *(at, (0, 0, 1), 0.0, 0.5, 40.0, at, np.array([5.0, 7.0])),
        ),
        "true surface": replace(body, deviation=Deviation(None, None, None, 0.0, 0.1, 0.2, 0.4, -0.2)),
        "finding": Finding("check", "too near: 0.3 mm", at, "warning"),
        "finding nowhere": Finding("check", "nothing"),
        "sides": {"a": body, "b": mask(), "$array": None},
    }


@st.composite
def poses(draw: st.DrawFn) -> Pose:
    turn = Pose.of_rotation(draw(directions), draw(st.floats(-360, 360)), draw(points))
    return Pose.of_shift(draw(points)).after(turn)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Any right-handed oblique grid, of any spacing and size."""
    shape = draw(st.tuples(*[st.integers(1, 400)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.05, 8)] * 3))
    affine = draw(poses()).array @ axial_affine(spacing, draw(points))
    return Grid(shape, affine, FRAME)
