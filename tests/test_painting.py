"""Painting as a whole: many strokes, each one step back; what it costs to keep one."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from surgiplan.algorithms.strokes import Layer, brushed
from surgiplan.casefile import CaseFile
from surgiplan.ops import OPERATIONS
from surgiplan.ops.paint import Paint
from surgiplan.ops.source import Source
from surgiplan.ops.threshold import Threshold
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.session import Session
from surgiplan.values import Bits, Grid, Volume, encode, given_away
from tests.walks import Told, tell

SHAPE = (40, 70, 90)


def a_volume() -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1] * (1.5, 0.8, 0.6)
    affine[:3, 3] = (-20, -31, 7)
    grey = np.random.default_rng(2).integers(-1000, 2000, SHAPE).astype(np.int16)
    return Volume(Grid(SHAPE, affine, "1.2.3"), given_away(grey))


def a_plan(digest: str) -> Plan:
    """A scan, its bone, and what a hand changes of that."""
    return (
        Plan()
        .add("ct", Source(digest=digest))
        .add("bone", Threshold(volume=Ref("ct"), low=1000))
        .add("paint", Paint(mask=Ref("bone"), added=Bits(), removed=Bits()))
    )


def stroked(plan: Plan, bits: Bits, erase: bool) -> Plan:
    held = plan["paint"].operation
    mine, other = ("removed", "added") if erase else ("added", "removed")
    return plan.edit("paint", **{mine: getattr(held, mine) | bits, other: getattr(held, other) - bits})


def state_of(session: Session) -> str:
    """A digest of all that the plan says and of the recipe of each result."""
    told = [step.text for step in session.committed.steps] + sorted(session.committed.keys().values())
    return blake2b("\n".join(told).encode(), digest_size=16).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where the system has such a place: how long a disk takes is told elsewhere."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.mark.parametrize("steps", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_all_strokes_can_be_taken_back_and_brought_again(steps: int, folder: Path) -> None:
    """Brush, erase, undo and redo at random; beside it a plain list of what should be."""
    rng, volume = np.random.default_rng(11), a_volume()
    with closing(Session(CaseFile.create(folder / "strokes.surgiplan"), OPERATIONS)) as session:
        session.commit(a_plan(session.case.put_blob(encode(volume))), "start")
        states, at = [state_of(session)], 0
        for _ in range(steps):
            kind = rng.choice(["brush", "erase", "undo", "redo"], p=[0.35, 0.25, 0.25, 0.15])
            if kind == "undo":
                at -= session.undo() if at else 0
            elif kind == "redo":
                at += session.redo()
            else:
                way = volume.grid.to_lps(rng.uniform((0, 0, 0), SHAPE, (2, 3)))
                layer = Layer(0, int(rng.integers(SHAPE[0]))) if rng.random() < 0.5 else None
                bits = brushed(volume.grid, way, float(rng.uniform(1, 5)), layer)
                plan = stroked(session.committed, bits, bool(kind == "erase"))
                if plan != session.committed:
                    session.commit(plan, str(kind))
                    del states[at + 1 :]
                    states.append(state_of(session))
                    at += 1
            assert state_of(session) == states[at]
        last = len(states) - 1
        while at < last:
            assert session.redo()
            at += 1
        whole = state_of(session)
        assert whole == states[-1]
        for expected in reversed(states[:-1]):
            assert session.undo()
            assert state_of(session) == expected
        for expected in states[1:]:
            assert session.redo()
            assert state_of(session) == expected
        assert not session.redo()
        assert state_of(session) == whole


def test_a_stroke_is_kept_at_once(record_property: Told) -> None:
    """On a scan of 512 x 512 x 400 with much painted already: all but the disk, the least of several.

    Counted are the voxels of the last piece of the stroke, the change of the plan, its text and its keys.
    """
    grid = Grid((400, 512, 512), np.array([[0, 0, 0.45, 0], [0, 0.45, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]]))
    many = brushed(grid, np.array([[40, 40, 40], [180, 180, 360.0], [60, 200, 200]]), 20)
    assert len(many.blocks) > 250
    plan = stroked(a_plan("0" * 32), many, erase=False)
    assert len(plan["paint"].text) > 1000
    plan.keys()
    took = []
    for n in range(12):
        stroke = brushed(grid, np.array([[60 + n, 110, 200], [70 + n, 115, 200.0]]), 3.0, Layer(0, 200))
        piece = np.array([[70 + n, 115, 200], [71 + n, 115.5, 200.0]])
        started = time.perf_counter()
        stroke = stroke | brushed(grid, piece, 3.0, Layer(0, 200))
        after = stroked(plan, stroke, erase=False)
        told_step = after["paint"].text
        after.keys()
        took.append(time.perf_counter() - started)
        assert after["paint"].operation.added.count > many.count
        assert told_step != plan["paint"].text
    told = tell(record_property, stroke_ms=min(took) * 1000, median_ms=float(np.median(took)) * 1000)
    assert min(took) <= 0.002, told
