"""Join the bodies of a watershed to bones: what holds together most firmly first."""

import heapq
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from ...values import BoolArray, FloatArray, Vec3

_MOSTLY = 0.5
Labels = NDArray[np.int16]
Meetings = dict[tuple[int, int], FloatArray]
"""Of each two bodies that meet, mm²: faces that are bright bone, all faces, the area of the bright ones."""


def joined(bodies: Labels, joint: BoolArray, spacing_kji: Vec3, bridge_mm2: float) -> Labels:
    """Give bodies that are one bone one number.

    Two bodies are one bone when they meet over more bright bone than the cross-section of a bridge, and over
    more bright bone than joint space. The pair that holds most firmly is joined first: by the bright share
    of its meeting, and by the size of that beside the smaller body's (volume^(2/3)). What both share with a
    third is added up before the next pair is looked at, so that no chain of small pieces joins two bones.

    bodies: [k, j, i] numbers from 1 on; 0 where there is none
    joint: [k, j, i] the joint spaces
    spacing_kji: mm
    bridge_mm2: cross-section of the bridges that are cut
    """
    sizes = np.bincount(bodies.ravel()) * float(np.prod(spacing_kji))
    around: dict[int, dict[int, FloatArray]] = defaultdict(dict)
    for (a, b), meeting in _meetings(bodies, joint, spacing_kji).items():
        around[a][b] = around[b][a] = meeting
    changes = np.zeros(len(sizes), np.int64)  # how often a body grew; an older entry of the queue is void
    queue: list[tuple[float, int, int, int]] = []

    def offer(a: int, b: int) -> None:
        bright, faces, area = around[a][b]
        if area > bridge_mm2 and bright > _MOSTLY * faces:
            size = min(sizes[a], sizes[b]) ** (2 / 3)
            hold = float(bright / faces * min(area / size, 1.0))
            heapq.heappush(queue, (-hold, min(a, b), max(a, b), int(changes[a] + changes[b])))

    for a, beside in around.items():
        for b in beside:
            if a < b:
                offer(a, b)
    number = np.arange(len(sizes), dtype=np.int16)
    while queue:
        _, a, b, state = heapq.heappop(queue)
        if b not in around[a] or state != changes[a] + changes[b]:
            continue
        number[number == b] = a
        sizes[a] += sizes[b]
        changes[a] += 1 + changes[b]
        for third, meeting in around.pop(b).items():
            del around[third][b]
            if third != a:
                around[a][third] = around[third][a] = around[a].get(third, 0) + meeting
        for third in around[a]:
            offer(a, third)
    bones: Labels = number[bodies]
    return bones


def _meetings(bodies: Labels, joint: BoolArray, spacing: Vec3) -> Meetings:
    """Where each two bodies meet.

    For the area each face of a voxel counts as a vector, so that the stairs of a slanting plane have its area.
    """
    faces: dict[tuple[int, int], FloatArray] = defaultdict(lambda: np.zeros(2))
    across: dict[tuple[int, int], FloatArray] = defaultdict(lambda: np.zeros(3))
    for axis in range(3):
        label, dark = np.moveaxis(bodies, axis, 0), np.moveaxis(joint, axis, 0)
        meet = (label[:-1] != label[1:]) & (label[:-1] > 0) & (label[1:] > 0)
        pairs = np.stack([label[:-1][meet], label[1:][meet]], axis=1)
        bright = ~(dark[:-1][meet] | dark[1:][meet])
        kinds, which = np.unique(pairs, axis=0, return_inverse=True)
        total = np.bincount(which.ravel(), minlength=len(kinds))
        free = np.bincount(which.ravel(), bright, len(kinds))
        face_mm2 = float(np.prod(spacing)) / spacing[axis]
        for (first, second), all_of, some in zip(kinds.tolist(), total, free, strict=True):
            pair = (min(first, second), max(first, second))
            faces[pair] += np.array([some, all_of]) * face_mm2
            across[pair][axis] += some * face_mm2 * (1 if first < second else -1)
    return {pair: np.array([*both, np.linalg.norm(across[pair])]) for pair, both in faces.items()}
