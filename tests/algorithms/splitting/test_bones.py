"""Bones that touch are parted along their joint, against the formulas of the phantoms."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from surgiplan.algorithms.agreement import agreement
from surgiplan.algorithms.masks.parts import largest_parts, parts_at
from surgiplan.algorithms.segment import threshold
from surgiplan.algorithms.splitting.bones import part_bones
from surgiplan.errors import Cancelled, Mismatch, StepFailed
from surgiplan.phantoms.femur import Femur
from surgiplan.phantoms.hip import Hip
from surgiplan.phantoms.scanner import axial_grid, scan
from surgiplan.phantoms.shape import Shape
from surgiplan.phantoms.solids import HalfSpace, Sphere, cylinder
from surgiplan.values import Grid, Mask, Plane, Vec3, Volume

CENTRE: Vec3 = (-31.0, 12.0, 45.0)
HEAD = Sphere(CENTRE, 12.0)
CUP = (Sphere(CENTRE, 19.0) & HalfSpace(Plane(CENTRE, (0.3, -0.2, -1.0)))) - Sphere(CENTRE, 13.0)
BOX = np.add(CENTRE, [[-21.0, -22.0, -17.0], [23.0, 21.0, 22.0]])


def scanned(*bodies: Shape, blur: float = 0.6, noise: float = 20.0) -> Volume:
    grid = axial_grid(BOX, (1.1, 0.8, 0.9), "1.2.3")
    materials = [(body, 1200.0) for body in bodies]
    return scan(materials, grid, background_hu=60.0, psf_sigma_mm=blur, noise_hu=noise, seed=5)


def truth(shape: Shape, grid: Grid) -> Mask:
    points = grid.to_lps(np.indices(grid.shape_kji).reshape(3, -1).T)
    return Mask(grid, (shape.field(points) < 0).reshape(grid.shape_kji))


def filled(mask: Mask) -> Mask:
    return Mask(mask.grid, ndimage.binary_fill_holes(mask.voxels))


def dice(a: Mask, b: Mask) -> float:
    value = agreement(a, b).dice
    assert value is not None
    return value


@pytest.mark.parametrize("level", [400.0, 630.0])
def test_a_ball_is_parted_from_its_cup(level: float) -> None:
    """1 mm of cartilage, which the blur and the voxels bridge."""
    volume = scanned(HEAD, CUP)
    mask = threshold(volume, level, 4000)
    assert largest_parts(mask).voxels[mask.voxels].mean() > 0.99
    parted = part_bones(volume, mask)
    assert not (parted.voxels & ~mask.voxels).any()
    assert parted.level == level
    head, cup = parts_at(parted, [CENTRE]), parts_at(parted, [(CENTRE[0], CENTRE[1], CENTRE[2] + 16)])
    assert not (head.voxels & cup.voxels).any()
    if level == 630.0:  # half-way between bone and what is round it: the true border
        assert dice(head, truth(HEAD, volume.grid)) > 0.985
        assert dice(cup, truth(CUP, volume.grid)) > 0.97


@pytest.mark.slow
def test_a_femur_is_parted_from_its_pelvis_without_a_hand(record_property: Any) -> None:
    """P18 to P20, 1 mm of cartilage: Dice >= 0.99 each against the formulas."""
    femur = Femur()
    hip = Hip(rim_radius_mm=femur.head_radius_mm + 1.0, bone_hu=femur.cortex_hu)
    grid = axial_grid([[-142.0, -74.0, -410.0], [0.0, 70.0, 50.0]], (1.2, 0.9, 0.8), femur.frame_uid)
    materials = (*femur.materials, (hip.surface, hip.bone_hu))
    volume = scan(materials, grid, background_hu=60.0, psf_sigma_mm=0.6, noise_hu=20.0, seed=1)
    mask = threshold(volume, femur.level_hu, 4000)
    whole = largest_parts(mask).voxels
    seeds = (femur.landmarks["shaft_distal"], femur.landmarks["head_top"])
    parted = part_bones(volume, mask)
    bones = {}
    for name, shape in (("femur", femur.surface), ("pelvis", hip.surface)):
        expected = largest_parts(truth(shape, grid))  # the knobs of the pelvis are bodies by themselves
        inside = np.argwhere(ndimage.binary_erosion(expected.voxels) & parted.voxels & whole)
        seed = grid.to_lps(inside[len(inside) // 2])
        bones[name] = filled(parts_at(parted, [(float(seed[0]), float(seed[1]), float(seed[2]))]))
        found = dice(bones[name], expected)
        record_property(name, f"{found:.4f}")
        assert found >= 0.99, (name, found)
    assert whole[bones["femur"].voxels & mask.voxels].all()
    assert not (bones["femur"].voxels & bones["pelvis"].voxels).any()
    assert all(grid.nearest(seed) is not None for seed in seeds)


def test_three_vertebrae_are_parted_at_their_discs() -> None:
    way = np.array([0.1, 0.15, 1.0])
    bodies = []
    for n in range(3):
        start = np.add(CENTRE, (n * 13.0 - 18.0) * way)
        bodies.append(cylinder(tuple(start), tuple(start + 11.8 * way), 9.0 + n))
    grid = axial_grid(np.add(CENTRE, [[-15, -15, -25], [17, 18, 27]]), (0.9, 0.8, 0.8), "1.2.3")
    volume = scan([(body, 900.0) for body in bodies], grid, background_hu=40.0, psf_sigma_mm=0.7)
    mask = threshold(volume, 350, 4000)
    assert ndimage.label(mask.voxels)[1] == 1
    parts, count = ndimage.label(part_bones(volume, mask).voxels)
    assert count == 3
    for body in bodies:
        inside = truth(body, grid).voxels & (parts > 0)
        assert np.unique(parts[inside]).size == 1


def two_balls(apart: float) -> tuple[Volume, Mask]:
    """Of 10 mm radius, one material: they meet in a circle of sqrt(100 - (apart / 2)^2)."""
    one, other = ((CENTRE[0] + sign * apart / 2, *CENTRE[1:]) for sign in (-1, 1))
    volume = scanned(Sphere(one, 10.0), Sphere(other, 10.0), blur=0.0, noise=0.0)
    return volume, threshold(volume, 630, 4000)


@pytest.mark.parametrize(("apart", "radius"), [(19.0, 3.1), (18.0, 4.36)])
def test_a_bridge_is_cut_up_to_its_radius(apart: float, radius: float) -> None:
    volume, mask = two_balls(apart)
    assert ndimage.label(part_bones(volume, mask, bridge_mm=radius + 1.0).voxels)[1] == 2
    with pytest.raises(StepFailed, match=r"Only one bone is found.*wider bridge"):
        part_bones(volume, mask, bridge_mm=radius - 0.5)


@pytest.mark.parametrize("axes", [(1, 2, 0), (2, 0, 1)])
def test_a_scan_with_exchanged_axes_is_parted_in_the_same_places(axes: tuple[int, int, int]) -> None:
    """The same patient in slices of another direction: there is no hidden axis."""
    volume = scanned(HEAD, CUP)
    affine = volume.grid.kji_to_lps[:, [*axes, 3]]
    turned = Volume(
        Grid(tuple(np.take(volume.grid.shape_kji, axes)), affine, "1.2.3"), volume.voxels.transpose(axes)
    )
    parted = part_bones(volume, threshold(volume, 630, 4000)).voxels.transpose(axes)
    again = part_bones(turned, threshold(turned, 630, 4000)).voxels
    assert np.count_nonzero(again != parted) < 0.002 * np.count_nonzero(parted)


def test_what_cannot_be_parted_says_so() -> None:
    volume = scanned(HEAD)
    mask = threshold(volume, 630, 4000)
    with pytest.raises(StepFailed, match="Only one bone"):
        part_bones(volume, mask)
    with pytest.raises(StepFailed, match="No voxel is chosen"):
        part_bones(volume, Mask(mask.grid, np.zeros_like(mask.voxels)))
    with pytest.raises(Mismatch):
        part_bones(volume, Mask(Grid((3, 3, 3), mask.grid.kji_to_lps, "1.2.3"), np.ones((3, 3, 3), np.bool_)))


def test_a_stop_is_heard_on_the_way() -> None:
    volume = scanned(HEAD, CUP)
    mask = threshold(volume, 630, 4000)
    said: list[str] = []

    def stop(fraction: float, text: str) -> None:
        said.append(text)
        if text == "Growing the cores":
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        part_bones(volume, mask, report=stop)
    assert {"Filling the bones", "Looking for joint spaces", "Measuring the depth"} <= set(said)
