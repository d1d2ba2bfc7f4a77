"""Join the bodies of a watershed to bones: what holds together most firmly first."""

import heapq
from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...progress import Report, silent
from ...values import BoolArray, FloatArray, Vec3
from ..masks.box import neighbours, slabs

_MOSTLY = 0.5
Labels = NDArray[Any]
"""[k, j, i] uint8 or int16."""
Meetings = dict[tuple[int, int], FloatArray]
"""Of each two bodies that meet, mm²: faces that are bright bone, all faces, the area of the bright ones."""


def joined(
    bodies: Labels, joint: BoolArray, spacing_kji: Vec3, bridge_mm2: float, report: Report = silent
) -> Labels:
    """Give bodies that are one bone one number.

    Two bodies are one bone when they meet over more bright bone than the cross-section of a bridge, and over
    more bright bone than joint space. The pair that holds most firmly is joined first: by the bright share
    of its meeting, and by the size of that beside the smaller body's (volume^(2/3)). What both share with a
    third is added up before the next pair is looked at, so that no chain of small pieces joins two bones.

    bodies: [k, j, i] numbers from 1 on; 0 where there is none; they are replaced by those of the bones
    joint: [k, j, i] the joint spaces
    spacing_kji: mm
    bridge_mm2: cross-section of the bridges that are cut
    report: told the progress; may raise Cancelled
    """
    graph = _Bodies(bodies, joint, spacing_kji, bridge_mm2, report)
    number = np.arange(len(graph.sizes), dtype=bodies.dtype)
    while (pair := graph.firmest()) is not None:
        number[number == pair[1]] = pair[0]
        graph.join(*pair)
    for some in slabs(bodies.shape):
        bodies[some] = number[bodies[some]]
    return bodies


class _Bodies:
    """Bodies and how firmly each two of them hold together."""

    def __init__(
        self, bodies: Labels, joint: BoolArray, spacing: Vec3, bridge_mm2: float, report: Report
    ) -> None:
        self.sizes = np.zeros(int(bodies.max()) + 1)
        for some in slabs(bodies.shape):
            self.sizes += np.bincount(bodies[some].ravel(), minlength=len(self.sizes))
        self.sizes *= float(np.prod(spacing))
        self._bridge_mm2 = bridge_mm2
        self._around: dict[int, dict[int, FloatArray]] = defaultdict(dict)
        self._changes = np.zeros(len(self.sizes), np.int64)  # how often a body grew
        self._queue: list[tuple[float, int, int, int]] = []
        for (a, b), meeting in _meetings(bodies, joint, spacing, report).items():
            self._around[a][b] = self._around[b][a] = meeting
            self._offer(a, b)

    def firmest(self) -> tuple[int, int] | None:
        """The pair that holds most firmly; None when none is one bone."""
        while self._queue:
            _, a, b, state = heapq.heappop(self._queue)
            if b in self._around[a] and state == self._changes[a] + self._changes[b]:  # else it is outdated
                return a, b
        return None

    def join(self, a: int, b: int) -> None:
        """Make the second body part of the first."""
        self.sizes[a] += self.sizes[b]
        self._changes[a] += 1 + self._changes[b]
        for third, meeting in self._around.pop(b).items():
            del self._around[third][b]
            if third != a:
                both = self._around[a].get(third, 0) + meeting
                self._around[a][third] = self._around[third][a] = both
        for third in self._around[a]:
            self._offer(a, third)

    def _offer(self, a: int, b: int) -> None:
        bright, faces, area = self._around[a][b]
        if area > self._bridge_mm2 and bright > _MOSTLY * faces:
            cross_section = min(self.sizes[a], self.sizes[b]) ** (2 / 3)
            hold = float(bright / faces * min(area / cross_section, 1.0))
            state = int(self._changes[a] + self._changes[b])
            heapq.heappush(self._queue, (-hold, min(a, b), max(a, b), state))


def _meetings(bodies: Labels, joint: BoolArray, spacing: Vec3, report: Report) -> Meetings:
    """Where each two bodies meet.

    For the area the face of a voxel counts as a vector, so that the stairs of a slanting plane have its area.
    """
    faces: dict[tuple[int, int], FloatArray] = defaultdict(lambda: np.zeros(2))
    across: dict[tuple[int, int], FloatArray] = defaultdict(lambda: np.zeros(3))
    for here, there, axis in neighbours(bodies.shape):
        report(here[0].start / len(bodies), "Looking where the bones meet")
        label, other = bodies[here], bodies[there]
        meet = (label != other) & (label > 0) & (other > 0)
        pairs = np.stack([label[meet], other[meet]], axis=1)
        bright = ~(joint[here][meet] | joint[there][meet])
        kinds, which = np.unique(pairs, axis=0, return_inverse=True)
        total = np.bincount(which.ravel(), minlength=len(kinds))
        free = np.bincount(which.ravel(), bright, len(kinds))
        face_mm2 = float(np.prod(spacing)) / spacing[axis]
        for (first, second), all_of, some in zip(kinds.tolist(), total, free, strict=True):
            pair = (min(first, second), max(first, second))
            faces[pair] += np.array([some, all_of]) * face_mm2
            across[pair][axis] += some * face_mm2 * (1 if first < second else -1)
    return {pair: np.array([*both, np.linalg.norm(across[pair])]) for pair, both in faces.items()}
