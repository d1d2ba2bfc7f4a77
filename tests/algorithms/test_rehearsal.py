"""Compiled loops are rehearsed for the kinds of arrays that they will be given."""

import ast
from importlib import import_module
from pathlib import Path

import numpy as np

from surgiplan import algorithms
from surgiplan.algorithms.compiled import Compiled
from surgiplan.algorithms.cutting.planes import cut
from surgiplan.algorithms.decimate import decimate
from surgiplan.algorithms.rehearsal import rehearse
from surgiplan.algorithms.splitting.contour import fitted_contour
from surgiplan.algorithms.surface import grey_surface, voxel_surface
from surgiplan.phantoms.bodies import SpherePhantom
from surgiplan.values import Mask, Part, Plane, Pose, Volume

ROOT = Path(algorithms.__file__).parent


def loops() -> dict[str, Compiled[..., object]]:
    """All compiled loops but those that only others of their file call."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        if "import compiled" not in text:
            continue
        inner = {
            name.id
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef)
            and any(isinstance(one, ast.Name) and one.id == "compiled" for one in node.decorator_list)
            for name in ast.walk(node)
            if isinstance(name, ast.Name)
        }
        module = import_module(
            ".".join(["surgiplan", "algorithms", *file.relative_to(ROOT).with_suffix("").parts])
        )
        found |= {
            f"{module.__name__}.{name}": loop
            for name, loop in vars(module).items()
            if isinstance(loop, Compiled) and loop.__module__ == module.__name__ and name not in inner
        }
    return found


def kinds() -> dict[str, set[str]]:
    return {name: {str(kind) for kind in loop.kinds()} for name, loop in loops().items()}


def test_no_kind_of_array_is_left_to_be_compiled_when_someone_waits() -> None:
    rehearse()
    rehearsed = kinds()
    assert [name for name, found in rehearsed.items() if not found] == []
    ball, steps = SpherePhantom(radius_mm=8.0), (1.0, 0.9, 0.8)
    for volume in (ball.volume(steps), ball.volume(steps, noise_hu=200.0)):
        floats = Volume(volume.grid, volume.voxels.astype(np.float32))
        for scan in (volume, floats):
            mask = Mask(scan.grid, scan.voxels > 500, 500.0)
            part = grey_surface(scan, mask)
    grey_surface(volume, Mask(volume.grid, volume.voxels > 500))
    fitted_contour(floats, mask, rounds=2)
    part = voxel_surface(mask)
    for body in (part, Part(part.mesh, Pose.of_rotation((1, 2, 3), 20))):
        x, y, z = body.points_lps.mean(axis=0)
        for kerf in (0.0, 1.0):
            cut(body, Plane((x, y, z), (0.0, 0.6, 0.8)), kerf, "a")
    decimate(part, 0.2)
    assert kinds() == rehearsed
