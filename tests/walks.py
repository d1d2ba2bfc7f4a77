"""Ways through the operations that several tests go, and how they tell their figures."""

from collections.abc import Callable

import numpy as np

from surgiplan.ops import OPERATIONS
from surgiplan.ops.align_leg import AlignLeg
from surgiplan.ops.boolean import Boolean
from surgiplan.ops.collide import Collide
from surgiplan.ops.compare import Compare
from surgiplan.ops.correct_deformity import CorrectDeformity
from surgiplan.ops.craniotomy import Craniotomy
from surgiplan.ops.crop import Crop
from surgiplan.ops.cut import Cut
from surgiplan.ops.cut_path import CutPath
from surgiplan.ops.deface import Deface
from surgiplan.ops.denoise import Denoise
from surgiplan.ops.derotate import Derotate
from surgiplan.ops.deviation_map import DeviationMap
from surgiplan.ops.drill import Drill
from surgiplan.ops.even_bias import EvenBias
from surgiplan.ops.fill import Fill
from surgiplan.ops.find_metal import FindMetal
from surgiplan.ops.fit import Fit
from surgiplan.ops.follow import Follow
from surgiplan.ops.grow import Grow
from surgiplan.ops.grow_seeds import GrowFromSeeds
from surgiplan.ops.hollow import Hollow
from surgiplan.ops.keep_part import KeepPart
from surgiplan.ops.landmarks import NameLandmarks
from surgiplan.ops.level_set import LevelSet
from surgiplan.ops.local_threshold import LocalThreshold
from surgiplan.ops.logic import Logic
from surgiplan.ops.margin import Margin
from surgiplan.ops.measure import Measure
from surgiplan.ops.mirror import Mirror
from surgiplan.ops.mirror_mask import MirrorMask
from surgiplan.ops.move import Move
from surgiplan.ops.move_guided import MoveGuided
from surgiplan.ops.paint import Paint
from surgiplan.ops.place_implant import PlaceImplant
from surgiplan.ops.plan_flap import PlanFlap
from surgiplan.ops.plan_screw import PlanScrew
from surgiplan.ops.range_of_motion import FindRangeOfMotion
from surgiplan.ops.reach import Reach
from surgiplan.ops.register import Register
from surgiplan.ops.register_scan import RegisterScan
from surgiplan.ops.remesh import Remesh
from surgiplan.ops.repair import Repair
from surgiplan.ops.resample import Resample
from surgiplan.ops.resect import Resect
from surgiplan.ops.smooth import Smooth
from surgiplan.ops.smooth_mask import SmoothMask
from surgiplan.ops.smooth_masks import SmoothMasks
from surgiplan.ops.socket import Socket
from surgiplan.ops.source import Source
from surgiplan.ops.split import Split
from surgiplan.ops.step_off import StepOff
from surgiplan.ops.surface import Surface
from surgiplan.ops.template_hip import TemplateHip
from surgiplan.ops.threshold import Threshold
from surgiplan.ops.tolerance import ToleranceBudget
from surgiplan.ops.walls import Walls
from surgiplan.ops.wedge import Wedge
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.values import Bits, Part, Places, Plane, Pose, Volume

Told = Callable[[str, object], None]


def tell(record: Told, **figures: float) -> str:
    """Keep figures with the test and give them as words."""
    for name, figure in figures.items():
        record(name, f"{figure:.6g}")
    return ", ".join(f"{name} {figure:.6g}" for name, figure in figures.items())


def bone_of(volume: Volume, level: float) -> Part:
    """The largest body brighter than a level, as a solid."""
    work = Work()
    mask = Threshold(volume=Ref("ct"), low=level, high=5000).run(work, volume)
    largest = KeepPart(mask=Ref("mask")).run(work, mask)
    return Surface(volume=Ref("ct"), mask=Ref("mask"), cavities="fill").run(work, volume, largest)


def sixty_steps() -> Plan:
    """A plan of real operations, such as a planner may build in a day; every operation is in it."""
    plane, away = Plane((10, 20, 30), (0.1, 0.2, 0.97)), Pose.of_rotation((0, 0, 1), 3, (5, 5, 5))
    brush = Bits.of(np.argwhere(np.random.default_rng(3).random((40, 64, 64)) < 0.02))
    screws = [item for item in OPERATIONS["place_implant"].spec.field("item").choices if "plate" not in item]
    marks = tuple((float(x), float(y), 3.0) for x, y in ((1, 2), (30, 5), (8, 40)))
    plan = (
        Plan()
        .add("ct", Source(digest="0" * 32))
        .add("bright", Threshold(volume=Ref("ct"), low=226))
        .add("grown", Grow(volume=Ref("ct"), seed=(1, 2, 3), low=300))
        .add("largest", KeepPart(mask=Ref("bright")))
        .add("parted", Split(volume=Ref("ct"), mask=Ref("bright")))
        .add("box", Crop(volume=Ref("ct"), points=marks[:2]))
        .add("even", Resample(volume=Ref("box"), spacing=0.8))
        .add("quiet", Denoise(volume=Ref("even")))
        .add("mr", EvenBias(volume=Ref("box")))
        .add("second", RegisterScan(moving=Ref("mr", "scan"), fixed=Ref("ct")))
        .add("metal", FindMetal(volume=Ref("ct")))
        .add("edge", LevelSet(volume=Ref("ct"), mask=Ref("metal", "metal")))
        .add("shared", GrowFromSeeds(volume=Ref("ct"), mask=Ref("parted"), points=marks[:2]))
        .add("rounder", SmoothMasks(masks=(Ref("shared", "first"), Ref("shared", "second"))))
        .add("thin", LocalThreshold(volume=Ref("ct")))
        .add("shut", SmoothMask(mask=Ref("largest"), kind="closing"))
        .add("solid", Fill(mask=Ref("shut")))
        .add("larger", Margin(mask=Ref("solid"), distance=1.5))
        .add("wall", Hollow(mask=Ref("larger")))
        .add("other_side", MirrorMask(mask=Ref("solid"), plane=plane))
        .add("missing", Logic(a=Ref("other_side"), b=Ref("solid"), kind="subtract"))
        .add("painted", Paint(mask=Ref("largest"), added=brush, removed=Bits.of([[1, 2, 3]])))
        .add("bone", Surface(volume=Ref("ct"), mask=Ref("painted"), cavities="fill"))
        .add("sound_side", Surface(volume=Ref("ct"), mask=Ref("grown")))
        .add("mirrored", Mirror(part=Ref("sound_side"), plane=plane))
        .add(
            "overlaid",
            Register(moving=Ref("mirrored"), fixed=Ref("bone"), moving_points=marks, fixed_points=marks),
        )
        .add("osteotomy", Cut(part=Ref("bone"), plane=plane, kerf=1.0))
        .add("segment", Resect(part=Ref("bone"), inside=(4, 5, 6), plane=plane, second=plane))
        .add("split_ramus", CutPath(part=Ref("bone"), points=marks, towards=(5, 9, -30)))
        .add("window", Craniotomy(part=Ref("bone"), points=marks, bevel=10))
        .add("realigned", Wedge(part=Ref("bone"), hinge=marks[:2], cortex=(9, 9, 9), moving=(1, 1, 30)))
        .add("reamed", Drill(part=Ref("realigned", "moved"), points=marks[:2], kind="ream", diameter=9))
        .add("clear", Reach(bodies=(Ref("bone"),), spared=Ref("window", "kerf"), points=marks))
        .add("fragment", Move(part=Ref("osteotomy", "b"), pose=away))
        .add("turned", MoveGuided(part=Ref("fragment"), kind="hinge", guide=plane, angle=4.0))
        .add("carried", Follow(part=Ref("sound_side"), before=Ref("fragment"), after=Ref("turned")))
        .add(
            "reach",
            FindRangeOfMotion(
                moving=Ref("fragment"), fixed=Ref("osteotomy", "a"), joint=plane, directions=12
            ),
        )
        .add("joined", Boolean(a=Ref("osteotomy", "a"), b=Ref("fragment")))
        .add("cup", Socket(limb=Ref("bone"), trim=plane))
        .add("cup_fit", Fit(body=Ref("bone"), against=Ref("cup")))
        .add("line", StepOff(a=Ref("osteotomy", "a"), b=Ref("turned")))
        .add("alike", Compare(a=Ref("bone"), b=Ref("painted")))
        .add("faceless", Deface(volume=Ref("ct")))
        .add("smooth", Smooth(part=Ref("sound_side")))
        .add("light", Remesh(part=Ref("smooth")))
        .add("whole", Repair(part=Ref("light")))
        .add("truth", DeviationMap(part=Ref("bone"), volume=Ref("ct"), mask=Ref("painted")))
        .add("cortex", Walls(bone=Ref("whole"), volume=Ref("ct")))
        .add("margin", ToleranceBudget(body=Ref("overlaid", "moved"), kerf=Ref("osteotomy", "kerf")))
        .add("marks", NameLandmarks(side="left", points=Places({"head_centre": marks[0]}), on=Ref("bone")))
        .add("leg_marks", NameLandmarks(template="bone_cut", side="right", on=Ref("bone")))
        .add("osteotomy_plan", AlignLeg(landmarks=Ref("leg_marks")))
        .add("derotation", Derotate(landmarks=Ref("leg_marks"), measured=31))
        .add("straight", CorrectDeformity(landmarks=Ref("leg_marks"), valgus=9))
        .add("flap", PlanFlap(fibula=Ref("bone"), donor=Ref("leg_marks"), jaw=Ref("marks")))
        .add("hip", TemplateHip(landmarks=Ref("leg_marks"), canal=Ref("bone")))
        .add("trajectory", PlanScrew(bone=Ref("bone"), landmarks=Ref("leg_marks")))
        .add("shortening", Measure(kind="distance", points=marks[:2]))
    )
    n = 0
    while len(plan.steps) < 60:
        place = Pose.of_shift((n, 2 * n, 3 * n)).after(away)
        plan = plan.add(f"screw{n}", PlaceImplant(item=screws[n % len(screws)], pose=place))
        if len(plan.steps) < 60:
            body = "osteotomy.a" if n % 2 else "fragment"
            plan = plan.add(f"check{n}", Collide(a=Ref(f"screw{n}"), b=Ref.of(body)))
        n += 1
    return plan
