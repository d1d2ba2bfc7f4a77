"""The demo: the whole job once, from a DICOM series to files that a printer takes, all on the plan."""

import json
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import SAFETY_LINE
from ..acts import intake, outlet
from ..acts.report import Report, write_report
from ..errors import BadInput, StepFailed
from ..formats import meshes
from ..ops import OPERATIONS
from ..ops.threshold import Threshold
from ..phantoms import write_phantom
from ..phantoms.femur import Femur
from ..phantoms.limb import Limb
from ..plan.operation import Ref
from ..plan.work import Work
from ..scene.describe import findings
from ..session import Failed, Ready, Session, Waiting
from ..stage.offscreen import Kind
from ..values import FloatArray, Part, Plane, Pose, Volume, figures, vec3
from . import verbs
from .phrases import brief

PLATE, SCREW, LONG_SCREW = "plate-4.5x8", "cortical-3.5x24", "cancellous-6.5x80"
HOLE_MM, SEAT_MM = 24.0, 2.4  # the second hole above the middle of the plate; seat of the head in it
PICTURES: tuple[tuple[Kind, str], ...] = (("four", "All views"), ("3d", "3D view"))


@dataclass
class Walk:
    """One case of the demo: a session, the folder it writes to, and the clock."""

    session: Session
    folder: Path
    quiet: bool

    def add(self, name: str, operation: str, **parameters: Any) -> Any:
        """Add a step, compute it, say how long it took; gives its value."""
        started = time.perf_counter()
        step = OPERATIONS[operation](**parameters)
        self.session.commit(self.session.plan.add(name, step), f"add {name}")
        self.session.pursue([name]).result()
        result = self.session.results([name])[name]
        if isinstance(result, Failed | Waiting) and result.error is not None:
            raise result.error
        if not isinstance(result, Ready):
            raise StepFailed(f"{name} gave no result")
        told = brief(figures(result.value))
        self.say(f"  {name:<14}{operation:<14}{time.perf_counter() - started:6.1f} s  {told}")
        return result.value

    def say(self, text: str) -> None:
        """Print unless JSON is wanted."""
        if not self.quiet:
            print(text, flush=True)

    def export(self, name: str, file: str) -> tuple[str, str]:
        """Write a result as STL and read it back; gives the file's name and sha256."""
        session = self.session
        key = session.plan.keys()[Ref.of(name).step]
        told = outlet.export(session.case, name, key, session.value(name), self.folder / file)
        again, _ = meshes.read_mesh(self.folder / file)
        if not again.watertight:
            raise StepFailed(f"{file} is not watertight when read back")
        return file, str(told["sha256"])

    def report(self, title: str, files: list[tuple[str, str]]) -> None:
        """Draw the pictures and write the report."""
        session = self.session
        results = session.results()
        pictures = []
        for kind, caption in PICTURES:
            file = self.folder / f"{session.case.path.stem}_{kind}.png"
            verbs.picture(session, kind, file, (1280, 960))
            pictures.append((caption, file.read_bytes()))
        lines = [
            (name, session.plan[name].operation.spec.name, brief(figures(result.value)))
            for name, result in results.items()
            if isinstance(result, Ready)
        ]
        found = findings(session.plan, results)
        page = self.folder / f"{session.case.path.stem}_report.html"
        write_report(session.case, Report(title, session.plan, lines, found, pictures, files), page)
        for one in found:
            self.say(f"  ! {one.severity}: {one.text}")


def demo(arguments: Namespace, open_window: Callable[[Path | None, bool], int]) -> int:
    """Walk the job on the femur and the limb phantom, or on a CT of the user."""
    out: Path = arguments.out or _fresh_folder()
    arguments.out = out
    out.mkdir(parents=True, exist_ok=True)
    if arguments.dicom is not None:
        cases = [_walked(arguments, "ct", arguments.dicom, "", scan_walk)]
    else:
        started = time.perf_counter()
        femur = write_phantom("femur", out / "dicom" / "femur", noise_hu=15)
        limb = write_phantom("limb", out / "dicom" / "limb", noise_hu=10)
        if not arguments.json:
            print(f"two phantom series are written as DICOM  {time.perf_counter() - started:.1f} s")
        cases = [
            _walked(arguments, "femur", femur, Femur.side, femur_walk),
            _walked(arguments, "limb", limb, Limb.side, limb_walk),
        ]
    told = {"out": str(out), "cases": [c.name for c in cases], "files": sorted(p.name for p in out.iterdir())}
    print(json.dumps(told, indent=1) if arguments.json else f"all is in {out}\n{SAFETY_LINE}")
    return open_window(cases[0], False) if arguments.window else 0


def _fresh_folder() -> Path:
    """demo-output, or demo-output-2 and so on when there is one already."""
    return next(
        p for n in count(1) if not (p := Path(f"demo-output-{n}" if n > 1 else "demo-output")).exists()
    )


def _walked(
    arguments: Namespace, stem: str, source: Path, side: str, walk: Callable[[Walk, Volume], None]
) -> Path:
    case: Path = arguments.out / f"{stem}.surgiplan"
    if case.exists():
        raise BadInput(f"{case} exists already: choose another folder with --out, or remove it")
    with verbs.opened(case, create=True) as session:
        steps = Walk(session, arguments.out, arguments.json)
        started = time.perf_counter()
        loaded = intake.load(source)
        if not isinstance(loaded.value, Volume):
            raise BadInput(f"{source.name} is not a scan: the demo needs a DICOM series")
        with session.case.atomically():
            session.commit(intake.keep(session.case, OPERATIONS, session.plan, loaded, "ct", side), "import")
        steps.say(f"{stem}\n  {'ct':<14}{'import':<14}{time.perf_counter() - started:6.1f} s")
        walk(steps, loaded.value)
    return case


def _bone(walk: Walk, volume: Volume, method: str) -> Part:
    """Threshold at a suggested value, keep the largest part, make its outer surface."""
    low = Threshold(volume=Ref("ct")).suggest(Work(), volume)[method]["low"]
    walk.add("bone_mask", "threshold", volume=Ref("ct"), low=low)
    walk.add("largest", "keep_part", mask=Ref("bone_mask"))
    bone = walk.add("bone", "surface", volume=Ref("ct"), mask=Ref("largest"), cavities="fill")
    assert isinstance(bone, Part)
    return bone


def femur_walk(walk: Walk, volume: Volume) -> None:
    """A derotation osteotomy of the right femur, with a plate, a screw, checks and measurements."""
    femur = Femur()
    marks = femur.landmarks
    _bone(walk, volume, "half-maximum")
    axis, middle = femur.shaft_axis, vec3(np.mean(femur.shaft_stretch, axis=0))
    walk.add("osteotomy", "cut", part=Ref("bone"), plane=Plane(middle, vec3(axis)), kerf=1.0)
    turn = Pose.of_shift(vec3(axis * 1.0)).after(Pose.of_rotation(axis, -12.0, middle))
    walk.add("distal", "move", part=Ref("osteotomy", "b"), pose=turn)
    lateral = -femur.pose.rotation[:, 0]
    walk.add("plate", "place_implant", item=PLATE, pose=_along(_beside(femur, 0.5), lateral, axis))
    hole = _beside(femur, 0.5) + HOLE_MM * axis + SEAT_MM * lateral
    walk.add("screw", "place_implant", item=SCREW, pose=_along(hole, -lateral, axis))
    neck_screw = femur.screws["neck"]
    way = np.subtract(neck_screw.tip, neck_screw.entry)
    walk.add("neck_screw", "place_implant", item=LONG_SCREW, pose=_along(neck_screw.entry, way, axis))
    walk.add("plate_bone", "collide", a=Ref("plate"), b=Ref("osteotomy", "a"))
    walk.add("screw_bone", "collide", a=Ref("screw"), b=Ref("osteotomy", "a"), meant="inside")
    walk.add("screws", "collide", a=Ref("screw"), b=Ref("neck_screw"))
    walk.add("neck_bone", "collide", a=Ref("neck_screw"), b=Ref("osteotomy", "a"), meant="inside")
    neck = (marks["neck_base"], marks["head_centre"])
    shaft = (marks["shaft_proximal"], marks["shaft_distal"])
    condyles = (marks["lateral_condyle_posterior"], marks["medial_condyle_posterior"])
    spread = {"landmark_sd": 0.5}
    walk.add("neck_shaft", "measure", kind="line-angle", points=(*neck, *shaft), **spread)
    walk.add("version", "measure", kind="projected-angle", points=(*condyles, *neck, *shaft), **spread)
    ends = (marks["head_centre"], marks["knee_centre"])
    walk.add("length", "measure", kind="distance", points=ends, **spread)
    files = [
        walk.export("osteotomy.a", "femur_RIGHT_proximal.stl"),
        walk.export("distal", "femur_RIGHT_distal_moved.stl"),
        walk.export("plate", "femur_RIGHT_plate.stl"),
        walk.export("neck_screw", "femur_RIGHT_neck_screw.stl"),
    ]
    walk.report("Derotation osteotomy of the femur (phantom)", files)


def limb_walk(walk: Walk, volume: Volume) -> None:
    """A socket for a residual limb: skin, shell, gap map, file."""
    limb = Limb()
    walk.add("skin_mask", "threshold", volume=Ref("ct"), low=limb.level_hu)
    walk.add("largest", "keep_part", mask=Ref("skin_mask"))
    walk.add("skin", "surface", volume=Ref("ct"), mask=Ref("largest"), cavities="fill")
    trim = Plane(vec3(np.asarray(limb.axis.point) + 130.0 * np.asarray(limb.axis.normal)), limb.axis.normal)
    walk.add("socket", "socket", limb=Ref("skin"), trim=trim, offset=2.0, wall=4.0)
    walk.add("fit", "fit", body=Ref("skin"), against=Ref("socket"), contact=2.2, within=8.0)
    walk.report("Prosthetic socket (phantom)", [walk.export("socket", "limb_RIGHT_socket.stl")])


def scan_walk(walk: Walk, volume: Volume) -> None:
    """On a real CT: bone, a cut through its middle, a fragment moved, an implant, checks, files."""
    bone = _bone(walk, volume, "half-maximum")
    low, high = bone.bounds_lps
    middle = vec3((low + high) / 2)
    walk.add("osteotomy", "cut", part=Ref("bone"), plane=Plane(middle, (0.0, 0.0, 1.0)), kerf=1.0)
    walk.add("fragment", "move", part=Ref("osteotomy", "a"), pose=Pose.of_shift((0.0, 0.0, 3.0)))
    walk.add("screw", "place_implant", item=SCREW, pose=Pose.of_shift(middle))
    walk.add("screw_bone", "collide", a=Ref("screw"), b=Ref("osteotomy", "b"), meant="inside")
    walk.add("volume", "measure", kind="volume", part=Ref("bone"))
    files = [walk.export("fragment", "fragment_moved.stl"), walk.export("osteotomy.b", "remaining.stl")]
    walk.report("Osteotomy on a scan", files)


def _along(origin: ArrayLike, direction: ArrayLike, across: ArrayLike) -> Pose:
    """The pose that puts an implant's origin at a point, its z along a direction and its x near another."""
    z = np.asarray(direction, np.float64) / np.linalg.norm(np.asarray(direction))
    x = np.asarray(across, np.float64) - (np.asarray(across) @ z) * z
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1)
    matrix[:3, 3] = origin
    return Pose.of(matrix)


def _beside(femur: Femur, gap_mm: float) -> FloatArray:
    """A point on the lateral side of the shaft, half-way along it, this far off the bone."""
    middle = np.mean(femur.shaft_stretch, axis=0)
    return np.asarray(middle - femur.pose.rotation[:, 0] * (femur.shaft_radius_mm + gap_mm))
