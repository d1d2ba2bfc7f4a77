"""What every operation must keep, over the whole registry."""

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest

from surgiplan.errors import Cancelled, NeedsHand
from surgiplan.ops import OPERATIONS
from surgiplan.ops.boolean import Boolean
from surgiplan.ops.collide import Collide
from surgiplan.ops.cut import Cut
from surgiplan.ops.fit import Fit
from surgiplan.ops.grow import Grow
from surgiplan.ops.keep_part import KeepPart
from surgiplan.ops.measure import Measure
from surgiplan.ops.mirror import Mirror
from surgiplan.ops.move import Move
from surgiplan.ops.paint import Paint
from surgiplan.ops.place_implant import PlaceImplant
from surgiplan.ops.register import Register
from surgiplan.ops.socket import Socket
from surgiplan.ops.source import Source
from surgiplan.ops.surface import Surface
from surgiplan.ops.threshold import Threshold
from surgiplan.plan.operation import Operation, Ref
from surgiplan.plan.plan import from_json, to_json
from surgiplan.plan.work import Work
from surgiplan.values import Bits, Plane, Pose, digest, encode
from tests.ops.shapes import ball_mask, ball_volume, centre, icosphere

PLANE = Plane(centre(), (0.1, 0.2, 0.97))
POSE = Pose.of_shift((3, -2, 1)).after(Pose.of_rotation((0, 1, 1), 20, centre()))
BLOB = encode(ball_volume())


@dataclass(frozen=True)
class Example:
    operation: Operation[Any]
    inputs: dict[str, Any]


def around(offset: float = 0.0) -> tuple[tuple[float, float, float], ...]:
    x, y, z = centre()
    return tuple(
        (x + dx + offset, y + dy, z + dz) for dx, dy, dz in ((9, 0, 0), (0, 8, 0), (0, 0, -7), (-4, 5, 3))
    )


def examples() -> dict[str, Example]:
    volume, mask, ball = ball_volume(), ball_mask(), icosphere()
    small = icosphere(5.0, (-40.0, 39.0, 157.0))
    x, y, z = centre()
    painted = Paint(mask=Ref("m"), added=Bits.of([[2, 3, 4]]), removed=Bits.of([[15, 19, 20]]))
    two = {"moving": Ref("b"), "fixed": Ref("b")}
    registered = Register(**two, moving_points=around(2.0), fixed_points=around(), refine=False)
    given = [
        Example(Source(digest="d"), {}),
        Example(Threshold(volume=Ref("ct"), low=500), {"volume": volume}),
        Example(Grow(volume=Ref("ct"), seed=centre(), low=500), {"volume": volume}),
        Example(KeepPart(mask=Ref("m")), {"mask": mask}),
        Example(painted, {"mask": mask}),
        Example(Surface(volume=Ref("ct"), mask=Ref("m")), {"volume": volume, "mask": mask}),
        Example(Cut(part=Ref("b"), plane=PLANE, kerf=0.8), {"part": ball}),
        Example(Move(part=Ref("b"), pose=POSE), {"part": ball}),
        Example(Mirror(part=Ref("b"), plane=PLANE), {"part": ball}),
        Example(registered, {"moving": ball, "fixed": ball}),
        Example(PlaceImplant(item=OPERATIONS["place_implant"].spec.field("item").choices[0], pose=POSE), {}),
        Example(Boolean(a=Ref("b"), b=Ref("s"), kind="difference"), {"a": ball, "b": small}),
        Example(Collide(a=Ref("s"), b=Ref("b")), {"a": small, "b": ball}),
        Example(Measure(kind="line-angle", points=around(), landmark_sd=0.5), {"part": None}),
        Example(Socket(limb=Ref("b"), trim=Plane((x, y, z + 3), (0, 0, 1)), wall=3), {"limb": ball}),
        Example(Fit(body=Ref("s"), against=Ref("b"), contact=1), {"body": small, "against": ball}),
    ]
    return {example.operation.spec.name: example for example in given}


EXAMPLES = examples()
QUICK = {"source", "paint", "mirror", "measure", "register"}
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
    try:
        while time.perf_counter() - started < 5:
            example.operation.run(stopped, **example.inputs)
    except Cancelled:
        pass
    assert time.perf_counter() - started < 1.5


@each
def test_what_must_be_placed_needs_a_hand(name: str) -> None:
    spec = OPERATIONS[name].spec
    placed = [field for field in spec.fields if field.hand is not None]
    if not placed:
        pytest.skip("nothing is placed by hand")
    example = EXAMPLES[name]
    content = to_json(example.operation)
    empty = [] if spec.field(placed[0].name).default == () else None
    content["with"][placed[0].name] = empty
    with pytest.raises(NeedsHand, match="x: "):
        from_json(OPERATIONS, content).require_placed("x")


@each
def test_old_versions_of_its_parameters_can_be_read(name: str) -> None:
    """Version 1 needs no upgrade; a higher version must bring a sample of each older one here."""
    assert OPERATIONS[name].spec.version == 1


def test_operations_pull_in_neither_qt_nor_rendering() -> None:
    code = (
        "import sys, surgiplan.ops;"
        "print([m for m in sys.modules if m.startswith(('PySide6', 'vtkmodules.vtkRendering', 'pyvista'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
