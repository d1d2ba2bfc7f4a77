"""What every operation must keep, over the whole registry."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from surgiplan.algorithms.masks.logic import inverted
from surgiplan.algorithms.solid import boolean
from surgiplan.errors import Cancelled, Mismatch, NeedsHand, SurgiplanError, Usage
from surgiplan.ops import OPERATIONS
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
from surgiplan.plan.evaluate import run_step
from surgiplan.plan.operation import Field, Operation, Ref
from surgiplan.plan.plan import Step, from_json, to_json
from surgiplan.plan.process import Child
from surgiplan.plan.work import Work
from surgiplan.values import Bits, Landmarks, Mask, Part, Places, Plane, Pose, Vec3, Volume, digest, encode
from tests.ops import templating
from tests.ops.shapes import (
    CENTRE,
    ELSEWHERE,
    ball,
    ball_mask,
    ball_scan,
    beside,
    head_scan,
    holed,
    inside_out,
    no_mask,
    no_part,
    scan_of,
)

PLANE = Plane(CENTRE, (0.1, 0.2, 0.97))
POSE = Pose.of_shift((3, -2, 1)).after(Pose.of_rotation((0, 1, 1), 20, CENTRE))
BLOB = encode(ball_scan())


@dataclass(frozen=True)
class Example:
    operation: Operation[Any]
    inputs: dict[str, Any]


def around(offset: float = 0.0) -> tuple[Vec3, ...]:
    ways = ((9, 0, 0), (0, 8, 0), (0, 0, -7), (-4, 5, 3))
    return tuple(beside(CENTRE, x + offset, y, z) for x, y, z in ways)


def correction_examples() -> list[Example]:
    align, leg = templating.osteotomy()
    cut_marks = templating.marked(templating.bone_cut_places(), "bone_cut", templating.FEMUR.frame_uid)
    fibula, ends = templating.FIBULA.mesh(3.0), templating.FIBULA.landmarks
    donor = templating.marked(dict(ends), "fibula", fibula.frame_uid)
    jaw = templating.marked(templating.jaw_places(), "jaw_defect", ELSEWHERE, "")
    hip = templating.marked(templating.hip_places(), "hip_replacement", templating.FEMUR.frame_uid)
    vertebra = templating.VERTEBRA.mesh(1.5)
    screw = templating.marked(templating.screw_places(), "pedicle", vertebra.frame_uid)
    flap = PlanFlap(fibula=Ref("f"), donor=Ref("d"), jaw=Ref("j"), shortest=10)
    return [
        Example(align, {"landmarks": leg}),
        Example(Derotate(landmarks=Ref("m"), measured=31.0), {"landmarks": cut_marks}),
        Example(CorrectDeformity(landmarks=Ref("m"), valgus=-9, outwards=15), {"landmarks": cut_marks}),
        Example(flap, {"fibula": fibula, "donor": donor, "jaw": jaw}),
        Example(
            TemplateHip(landmarks=Ref("m"), canal=Ref("c")),
            {"landmarks": hip, "canal": templating.canal_of()},
        ),
        Example(PlanScrew(bone=Ref("b"), landmarks=Ref("m")), {"bone": vertebra, "landmarks": screw}),
    ]


def examples() -> dict[str, Example]:
    volume, mask, body = ball_scan(), ball_mask(), ball()
    touching = scan_of((beside(CENTRE, -6, 0, 0), 7.0), (beside(CENTRE, 6.5, 0, 0), 6.0))
    both = Mask(touching.grid, touching.voxels >= 400, level=400.0)
    marked = np.zeros(mask.voxels.shape, np.bool_)
    marked[mask.grid.nearest(beside(CENTRE, 8, 0, 0))] = True
    seed = Mask(mask.grid, marked)
    small = ball(5.0, beside(CENTRE, 5, 0, 0))
    painted = Paint(mask=Ref("m"), added=Bits.of([[2, 3, 4]]), removed=Bits.of([[15, 19, 20]]))
    two = {"moving": Ref("b"), "fixed": Ref("b")}
    registered = Register(**two, moving_points=around(2.0), fixed_points=around())
    trim = Plane(beside(CENTRE, 0, 0, 3), (0, 0, 1))
    across = (beside(CENTRE, -13, 2, 11), beside(CENTRE, 1, -3, 12), beside(CENTRE, 13, 2, 11))
    axis = (beside(CENTRE, -9, -4, 0), beside(CENTRE, -9, 5, 0))
    window = tuple(beside(CENTRE, x, y, 10.4) for x, y in ((6, 0), (0, 6), (-6, 0), (0, -6)))
    hollow = boolean(body, ball(9.0), "difference")
    given = [
        Example(Source(digest="d"), {}),
        Example(Crop(volume=Ref("ct"), around=Ref("m"), margin=2), {"volume": volume, "around": mask}),
        Example(Resample(volume=Ref("ct"), like=Ref("o")), {"volume": volume, "like": ball_scan()}),
        Example(Denoise(volume=Ref("ct")), {"volume": volume}),
        Example(EvenBias(volume=Ref("mr")), {"volume": Volume(volume.grid, volume.voxels, "MR", "")}),
        Example(RegisterScan(moving=Ref("mr"), fixed=Ref("ct")), {"moving": volume, "fixed": ball_scan()}),
        Example(Threshold(volume=Ref("ct"), low=500), {"volume": volume}),
        Example(Grow(volume=Ref("ct"), seed=CENTRE, low=500), {"volume": volume}),
        Example(LocalThreshold(volume=Ref("ct"), low=200), {"volume": volume}),
        Example(KeepPart(mask=Ref("m")), {"mask": mask}),
        Example(Split(volume=Ref("ct"), mask=Ref("m"), bridge=4), {"volume": touching, "mask": both}),
        Example(
            GrowFromSeeds(volume=Ref("ct"), mask=Ref("m"), seeds=(Ref("s"),), points=(CENTRE,)),
            {"volume": volume, "mask": mask, "seeds": (seed,)},
        ),
        Example(LevelSet(volume=Ref("ct"), mask=Ref("m"), rounds=20), {"volume": volume, "mask": mask}),
        Example(FindMetal(volume=Ref("ct"), level=900), {"volume": volume}),
        Example(SmoothMask(mask=Ref("m")), {"mask": mask}),
        Example(SmoothMasks(masks=(Ref("m"), Ref("rest"))), {"masks": (mask, inverted(mask))}),
        Example(Fill(mask=Ref("m"), kind="wrap"), {"mask": mask}),
        Example(Margin(mask=Ref("m"), distance=-2), {"mask": mask}),
        Example(Hollow(mask=Ref("m")), {"mask": mask}),
        Example(Logic(a=Ref("m"), b=Ref("n"), kind="subtract"), {"a": mask, "b": ball_mask()}),
        Example(MirrorMask(mask=Ref("m"), plane=Plane(CENTRE, (1, 0.1, 0))), {"mask": mask}),
        Example(painted, {"mask": mask}),
        Example(Deface(volume=Ref("ct")), {"volume": head_scan((8.0, 6.4, 6.0))}),
        Example(Surface(volume=Ref("ct"), mask=Ref("m"), way="grey"), {"volume": volume, "mask": mask}),
        Example(Smooth(part=Ref("b")), {"part": body}),
        Example(Remesh(part=Ref("b"), within=0.1), {"part": body}),
        Example(Repair(part=Ref("b")), {"part": holed(body)}),
        Example(Cut(part=Ref("b"), plane=PLANE, kerf=0.8), {"part": body}),
        Example(
            Resect(part=Ref("b"), inside=beside(CENTRE, 0, 0, -8), plane=trim, second=PLANE), {"part": body}
        ),
        Example(
            CutPath(part=Ref("b"), points=across, towards=beside(CENTRE, 0, 0, -9), depth=30),
            {"part": body},
        ),
        Example(Craniotomy(part=Ref("b"), points=window, direction="mean", depth=5), {"part": hollow}),
        Example(
            Wedge(part=Ref("b"), hinge=axis, cortex=beside(CENTRE, 12, 0, 0), moving=beside(CENTRE, 0, 0, 9)),
            {"part": body},
        ),
        Example(Drill(part=Ref("b"), points=(beside(CENTRE, 0, 0, 12), CENTRE)), {"part": body}),
        Example(Move(part=Ref("b"), pose=POSE), {"part": body}),
        Example(MoveGuided(part=Ref("b"), kind="plane", guide=PLANE, shift=3, angle=12), {"part": body}),
        Example(
            Follow(part=Ref("s"), before=Ref("b"), after=Ref("c"), symmetric=PLANE),
            {"part": small, "before": body, "after": body.moved(POSE)},
        ),
        Example(Mirror(part=Ref("b"), plane=PLANE), {"part": body}),
        Example(registered, {"moving": body, "fixed": body}),
        Example(PlaceImplant(item=OPERATIONS["place_implant"].spec.field("item").choices[0], pose=POSE), {}),
        Example(Boolean(a=Ref("b"), b=Ref("s"), kind="difference"), {"a": body, "b": small}),
        Example(Collide(a=Ref("s"), b=Ref("b")), {"a": small, "b": body}),
        Example(
            Reach(bodies=(Ref("b"),), spared=Ref("s"), points=across, towards=beside(CENTRE, 0, 0, 9)),
            {"bodies": (body,), "spared": small},
        ),
        Example(
            FindRangeOfMotion(moving=Ref("s"), fixed=Ref("b"), joint=PLANE, directions=3),
            {"moving": small.moved(Pose.of_shift((0.0, 0.0, 40.0))), "fixed": body},
        ),
        Example(
            NameLandmarks(side="left", points=Places({"head_centre": CENTRE}), on=Ref("b")), {"on": body}
        ),
        Example(Measure(kind="volume", part=Ref("b"), landmark_sd=0.5), {"part": body}),
        Example(Socket(limb=Ref("b"), trim=trim, wall=3, resolution=2), {"limb": body}),
        Example(Fit(body=Ref("s"), against=Ref("b"), contact=1), {"body": small, "against": body}),
        Example(StepOff(a=Ref("b"), b=Ref("s"), reach=20), {"a": body, "b": small}),
        Example(Compare(a=Ref("s"), b=Ref("b"), tolerance=0.5), {"a": small, "b": body}),
        Example(
            DeviationMap(part=Ref("b"), volume=Ref("ct"), mask=Ref("m"), level=500),
            {"part": body, "volume": volume, "mask": mask},
        ),
        Example(Walls(bone=Ref("b"), blur=0.6, resting=Ref("s"), reach=30), {"bone": body, "resting": small}),
        Example(
            ToleranceBudget(body=Ref("s"), plane=trim, spare=Ref("b"), kerf_width=1.5),
            {"body": small, "spare": body},
        ),
        *correction_examples(),
    ]
    return {example.operation.spec.name: example for example in given}


EXAMPLES = examples()
QUICK = {"landmarks", "source", "paint", "logic", "mirror", "measure"}
APART = [name for name, cls in OPERATIONS.items() if cls.spec.runs == "process"]
each = pytest.mark.parametrize("name", list(OPERATIONS))


def work() -> Work:
    return Work(blob=lambda digest: BLOB)


def test_every_operation_has_an_example() -> None:
    assert set(EXAMPLES) == set(OPERATIONS)


@each
def test_it_survives_json(name: str) -> None:
    operation = EXAMPLES[name].operation
    again = from_json(OPERATIONS, json.loads(json.dumps(to_json(operation))))
    assert again == operation
    assert to_json(again) == to_json(operation)
    assert Step("x", again).own_digest == Step("x", operation).own_digest


@each
def test_its_numbers_are_read_from_the_words_of_a_command_line(name: str) -> None:
    operation = EXAMPLES[name].operation
    content = to_json(operation)
    for field in operation.spec.fields:
        if field.number is not None and content["with"][field.name] is not None:
            content["with"][field.name] = str(content["with"][field.name])
    assert from_json(OPERATIONS, content) == operation


@each
def test_its_numbers_stay_in_their_range(name: str) -> None:
    operation = EXAMPLES[name].operation
    for field in operation.spec.fields:
        if field.number is not None:
            for value in (field.number.low - 1, field.number.high + 1, float("nan"), float("inf")):
                with pytest.raises(Usage, match=f"{field.name} must lie between"):
                    replace(operation, **{field.name: value})  # type: ignore[type-var]


@each
def test_its_docstring_explains_each_field(name: str) -> None:
    spec = OPERATIONS[name].spec
    assert spec.summary.endswith(".")
    assert [field.name for field in spec.fields if not field.help] == []
    assert spec.group


@each
def test_two_runs_agree(name: str) -> None:
    example = EXAMPLES[name]
    first, second = (example.operation.run(work(), **example.inputs) for _ in range(2))
    assert digest(first) == digest(second)


@each
def test_it_gives_what_its_spec_says(name: str) -> None:
    example = EXAMPLES[name]
    value = example.operation.run(work(), **example.inputs)
    outputs = example.operation.outputs()
    if "" in outputs:
        assert isinstance(value, outputs[""])
    else:
        assert list(value) == list(outputs)
        assert all(isinstance(value[key], kind) for key, kind in outputs.items())


@each
def test_its_inputs_are_bitwise_unchanged(name: str) -> None:
    example = EXAMPLES[name]
    before = {key: digest(value) for key, value in example.inputs.items()}
    example.operation.run(work(), **example.inputs)
    assert {key: digest(value) for key, value in example.inputs.items()} == before


@each
def test_a_stop_is_heard(name: str) -> None:
    """Asked to stop while it runs, an operation ends within a second (a child process is just ended)."""
    example = EXAMPLES[name]
    if example.operation.spec.runs != "thread" or name in QUICK:
        pytest.skip("takes no time, or is stopped by ending its process")
    stopped = work()
    threading.Timer(0.02, stopped.stop.set).start()
    started = time.perf_counter()

    def again_and_again() -> None:
        while time.perf_counter() - started < 5:
            example.operation.run(stopped, **example.inputs)

    with pytest.raises(Cancelled):
        again_and_again()
    assert time.perf_counter() - started < 1.5


def _nothing(field: Field) -> Any:
    return {} if field.kind is Places else [] if field.default == () else None


@each
def test_what_must_be_placed_needs_a_hand(name: str) -> None:
    spec = OPERATIONS[name].spec
    placed = [field for field in spec.fields if field.hand is not None]
    if not placed:
        pytest.skip("nothing is placed by hand")
    for field in placed:
        content = to_json(EXAMPLES[name].operation)
        content["with"][field.name] = _nothing(field)
        with pytest.raises(NeedsHand, match=f"x: {field.name} is not placed yet"):
            from_json(OPERATIONS, content).require_placed("x")


OLDER: dict[str, dict[int, dict[str, Any]]] = {
    "threshold": {1: {"volume": "ct", "low": 500, "high": 3071}},
    "grow": {1: {"volume": "ct", "seed": list(CENTRE), "low": 500, "high": 3071}},
    "keep_part": {1: {"mask": "m", "seed": None}},
    "measure": {1: {"kind": "volume", "part": "b", "landmark_sd": 0.5}},
    "collide": {1: {"a": "s", "b": "b"}},
    "surface": {n: {"volume": "ct", "mask": "m", "level": None, "cavities": "keep"} for n in (1, 2)},
    "mirror": {1: {"part": "b", "plane": {"point": list(PLANE.point), "normal": list(PLANE.normal)}}},
    "register": {
        1: {
            "moving": "b",
            "fixed": "b",
            "moving_points": [list(point) for point in around(2.0)],
            "fixed_points": [list(point) for point in around()],
            "refine": True,
            "overlap": 0.9,
        }
    },
}


@each
def test_old_versions_of_its_parameters_can_be_read(name: str) -> None:
    """Version 1 needs no upgrade; a higher version must bring a sample of each older one here."""
    older = OLDER.get(name, {})
    assert list(older) == list(range(1, OPERATIONS[name].spec.version))
    for version, parameters in older.items():
        content = {"operation": name, "version": version, "with": parameters}
        assert from_json(OPERATIONS, content) == EXAMPLES[name].operation


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.close()


@pytest.mark.parametrize("name", APART)
def test_it_gives_the_same_in_a_process_of_its_own(name: str, child: Child) -> None:
    example = EXAMPLES[name]
    apart = run_step(Step("x", example.operation), example.inputs, work(), child)
    assert digest(apart) == digest(example.operation.run(work(), **example.inputs))


def broken_inputs() -> list[tuple[str, str, str]]:
    """Each operation, each of its inputs, each way in which that can be bad."""
    ways: dict[type, tuple[str, ...]] = {Volume: (), Mask: ("empty",), Part: ("empty", "holed", "inside out")}
    return [
        (name, field, way)
        for name, example in EXAMPLES.items()
        for field, value in example.inputs.items()
        for way in ways.get(type(value), ())
    ]


@pytest.mark.parametrize(("name", "field", "way"), broken_inputs())
def test_a_bad_input_is_taken_or_refused_in_words(name: str, field: str, way: str) -> None:
    """Never a crash: what an operation cannot use it refuses with an error of the house."""
    example = EXAMPLES[name]
    value = example.inputs[field]
    bad = {"empty": no_mask() if isinstance(value, Mask) else no_part()}
    if isinstance(value, Part):
        bad |= {"holed": holed(value), "inside out": inside_out(value)}
    step = Step("osteotomy", example.operation)
    try:
        result = run_step(step, example.inputs | {field: bad[way]}, work())
    except SurgiplanError as problem:
        told = str(problem)
        assert told.startswith("osteotomy: ")
        assert len(told.split()) > 8
    else:
        assert digest(result)


def in_another_frame(value: Any) -> Any:
    if isinstance(value, Part | Landmarks):
        return replace(value, frame_uid=ELSEWHERE)
    return replace(value, grid=replace(value.grid, frame_uid=ELSEWHERE))


@pytest.mark.parametrize("name", [name for name, one in EXAMPLES.items() if len(one.inputs) == 2])
def test_two_patient_spaces_are_not_mixed(name: str) -> None:
    """Only a register step joins them."""
    example = EXAMPLES[name]
    one, other = example.inputs
    inputs = {one: example.inputs[one], other: in_another_frame(example.inputs[other])}
    if name in ("register", "register_scan"):
        moved = example.operation.run(work(), **inputs)["moved"]
        assert getattr(moved, "grid", moved).frame_uid == ELSEWHERE
        return
    with pytest.raises(Mismatch, match=r"different patient spaces.*register step"):
        example.operation.run(work(), **inputs)


@pytest.mark.parametrize("name", ["boolean", "collide", "compare", "fit"])
def test_what_has_no_patient_space_goes_with_any(name: str) -> None:
    """An implant of the catalogue, a shape from a mesh file."""
    example = EXAMPLES[name]
    (first, implant), (second, bone) = example.inputs.items()
    inputs = {first: replace(implant, frame_uid=""), second: bone}
    result = example.operation.run(work(), **inputs)
    if isinstance(result, Part):
        assert result.frame_uid == bone.frame_uid


def test_operations_pull_in_neither_qt_nor_rendering() -> None:
    code = (
        "import sys, surgiplan.ops;"
        "print([m for m in sys.modules if m.startswith(('PySide6', 'vtkmodules.vtkRendering', 'pyvista'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
