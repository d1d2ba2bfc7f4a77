"""Left stays left: on every path from the scanner to the picture (VALIDITY P13, P17)."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from scipy import ndimage

from surgiplan.formats.dicom import read_series, scan
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.ops.source import Source
from surgiplan.ops.surface import Surface
from surgiplan.ops.threshold import Threshold
from surgiplan.phantoms import Chirality
from surgiplan.phantoms.chirality import pieces_of
from surgiplan.plan.operation import Ref
from surgiplan.plan.plan import Plan
from surgiplan.plan.work import Work
from surgiplan.scene.describe import describe
from surgiplan.scene.items import Scene
from surgiplan.scene.view import View
from surgiplan.session import Ready
from surgiplan.stage.offscreen import snapshot
from surgiplan.values import (
    FloatArray,
    Grid,
    Mesh,
    Part,
    Pose,
    Value,
    Vec3,
    Volume,
    vec3,
)
from tests.ops.shapes import ball
from tests.walks import Told, tell

PHANTOM = Chirality()
AXIAL: FloatArray = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]])  # rows: directions of k, j and i in LPS
ACQUIRED: Mapping[str, FloatArray] = {
    "axial": AXIAL,
    "feet first, descending": AXIAL,
    "prone": AXIAL * [[1], [-1], [-1]],
    "sagittal": np.array([[-1, 0, 0], [0, 0, -1], [0, 1, 0]]),
    "coronal": np.array([[0, 1, 0], [0, 0, -1], [1, 0, 0]]),
    "oblique": AXIAL @ Pose.of_rotation((1, 2, 3), 25).rotation,
    "oblique sagittal": np.array([[-1, 0, 0], [0, 0, -1], [0, 1, 0]])
    @ Pose.of_rotation((1, 1, 0), 15).rotation,
}


def lattice(axes: FloatArray) -> Grid:
    """A grid of 1.6 x 1.2 x 1.0 mm with these axes round the whole phantom."""
    low, high = PHANTOM.scan_box
    corners = np.array(
        [[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    spacing = np.array((1.6, 1.2, 1.0))
    along = corners @ axes.T
    shape = np.ceil(np.ptp(along, axis=0) / spacing).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes.T * spacing
    affine[:3, 3] = along.min(axis=0) @ axes
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine, PHANTOM.frame_uid)


def acquired(how: str, folder: Path) -> Volume:
    """A scan of the phantom, written as a DICOM series as a scanner would; what was scanned."""
    volume = PHANTOM.volume(grid=lattice(ACQUIRED[how]))
    files = write_series(volume, folder)
    if "descending" in how:
        for n, file in enumerate(files):
            image = pydicom.dcmread(file)
            image.InstanceNumber, image.PatientPosition = len(files) - n, "FFS"
            image.save_as(folder / f"Z{len(files) - n:04d}.dcm")
            file.unlink()
    return volume


def read_from(folder: Path) -> Volume:
    (series,) = scan(folder).series
    assert series.usable
    return read_series(series)


def surface_of(volume: Volume) -> Part:
    mask = Threshold(volume=Ref("ct"), low=PHANTOM.level_hu).run(Work(), volume)
    return Surface(volume=Ref("ct"), mask=Ref("mask")).run(Work(), volume, mask)


def balls_in(mesh: Mesh) -> dict[str, Part]:
    """The balls of a surface as parts, told apart by their size alone."""
    where, parts = PHANTOM.found(mesh), {}
    for piece in pieces_of(mesh):
        used, triangles = np.unique(piece, return_inverse=True)
        part = Part(Mesh(mesh.points[used], triangles.reshape(-1, 3)))
        away = {name: np.linalg.norm(part.bounds_lps.mean(axis=0) - at) for name, at in where.items()}
        nearest = min(away, key=away.__getitem__)
        if away[nearest] < 2:
            parts[nearest] = part
    return parts


def scene_of(values: Mapping[str, Value], crosshair: Vec3 = (0, 0, 0), **view: Any) -> Scene:
    """What is seen of some values, each under its name."""
    plan = Plan()
    for name, value in values.items():
        plan = plan.add(name, Source(digest=name, kind="volume" if isinstance(value, Volume) else "part"))
    results = {name: Ready(value) for name, value in values.items()}
    return describe(plan, results, replace(View.of(plan, results), crosshair_lps=crosshair, **view))


COLOURS = {"R": (255, 0, 0), "L": (0, 255, 0), "S": (0, 0, 255), "A": (255, 255, 0)}
SEEN_FROM: Mapping[str, tuple[Vec3, Vec3]] = {  # what points to the right and down on the picture
    "anterior": ((1, 0, 0), (0, 0, -1)),
    "posterior": ((-1, 0, 0), (0, 0, -1)),
    "left": ((0, 1, 0), (0, 0, -1)),
    "superior": ((-1, 0, 0), (0, 1, 0)),
}


def places_in_picture(balls: Mapping[str, Part], look: Any) -> dict[str, FloatArray]:
    """Middle of each ball (column, row) in a picture, found by its colour."""
    scene = scene_of(balls)
    paint = {name: "#{:02x}{:02x}{:02x}".format(*colour) for name, colour in COLOURS.items()}
    items = tuple(replace(one, colour=paint[one.name]) if one.name in paint else one for one in scene.items)
    picture = snapshot(replace(scene, items=items), "3d", (480, 360), look).astype(np.float64)
    bright = picture.max(axis=2, keepdims=True)
    places = {}
    for name in balls:
        colour = COLOURS[name]
        alike = np.abs(picture / np.maximum(bright, 1) - np.divide(colour, 255)).max(axis=2) < 0.35
        label, _ = ndimage.label(alike & (bright[..., 0] > 30))
        largest = int(np.argmax(np.bincount(label.ravel())[1:])) + 1
        rows, columns = np.nonzero(label == largest)
        places[name] = np.array([columns.mean(), rows.mean()])
    return places


@pytest.mark.parametrize("how", ACQUIRED)
def test_no_path_turns_left_into_right(
    graphics: None, how: str, tmp_path: Path, record_property: Told
) -> None:
    """P17, P13: scanner -> DICOM -> volume -> surface -> STL -> read again -> picture."""
    scanned = acquired(how, tmp_path / "series")
    volume = read_from(tmp_path / "series")
    assert volume.grid.same_as(scanned.grid)
    assert np.array_equal(volume.voxels, scanned.voxels)
    write_mesh(surface_of(volume), tmp_path / "phantom.stl")
    mesh, _ = read_mesh(tmp_path / "phantom.stl")
    errors = PHANTOM.marker_errors_mm(mesh)
    told = tell(record_property, **{f"error_{name}_mm": error for name, error in errors.items()})
    assert PHANTOM.handedness(mesh) == 1, told
    assert max(errors.values()) < 0.1, told

    places = places_in_picture(balls_in(mesh), "anterior")
    for one, other in permutations(places, 2):
        apart = np.subtract(PHANTOM.markers[other].centre_lps, PHANTOM.markers[one].centre_lps)
        seen = places[other] - places[one]
        assert np.sign(seen[0]) == np.sign(apart[0]), "the patient's left is on the right"
        assert np.sign(seen[1]) == -np.sign(apart[2]), "the patient's head is up"


@pytest.mark.parametrize("look", SEEN_FROM)
def test_a_picture_is_a_true_projection(graphics: None, look: str, record_property: Told) -> None:
    """VALIDITY 38: each ball lies where one scale and one shift put it, to a pixel."""
    markers = {name: one for name, one in PHANTOM.markers.items() if (look, name) != ("left", "R")}  # hidden
    balls = {name: ball(one.diameter_mm / 2, one.centre_lps) for name, one in markers.items()}
    places = places_in_picture(balls, look)
    right, down = SEEN_FROM[look]
    true = np.array(
        [[np.dot(PHANTOM.markers[name].centre_lps, way) for way in (right, down)] for name in places]
    )
    seen = np.array([places[name] for name in places])
    centred, aim = true - true.mean(axis=0), seen - seen.mean(axis=0)
    scale = float((centred * aim).sum() / (centred**2).sum())
    error = float(np.abs(aim - scale * centred).max())
    told = tell(record_property, pixels_per_mm=scale, error_pixels=error)
    assert scale > 0, told
    assert error <= 1, told


@pytest.mark.parametrize(("convention", "sign"), [("radiological", 1), ("neurological", -1)])
@pytest.mark.parametrize("kind", ["axial", "coronal"])
def test_a_slice_shows_the_sides_where_they_belong(
    graphics: None, kind: Any, convention: str, sign: int
) -> None:
    """Radiological: the patient's right on the left. Each ball is what changes when it is taken out."""
    volume = PHANTOM.volume()
    for name, side in (("R", -1), ("L", 1)):
        ball = PHANTOM.markers[name]
        cut = [
            snapshot(scene_of({"ct": one}, ball.centre_lps, convention=convention), kind, (320, 240))
            for one in (volume, without(volume, ball.centre_lps, ball.diameter_mm / 2 + 2))
        ]
        _, columns = np.nonzero(np.abs(cut[0].astype(int) - cut[1]).max(axis=2) > 40)
        assert len(columns) > 50
        assert np.sign(columns.mean() - 160) == sign * side


def without(volume: Volume, centre: Vec3, radius: float) -> Volume:
    """The scan with water in place of a ball."""
    places = volume.grid.to_lps(np.indices(volume.grid.shape_kji).reshape(3, -1).T)
    inside = np.linalg.norm(places - centre, axis=1).reshape(volume.grid.shape_kji) < radius
    return replace(volume, voxels=np.where(inside, 0, volume.voxels).astype(np.int16))


def test_a_letter_reads_the_right_way_in_a_coronal_slice(graphics: None) -> None:
    """The F of the phantom: its stem on the left of the picture, its strokes at the top."""
    volume, middle = PHANTOM.volume(), PHANTOM.letters["F"].box.mean(axis=0)
    crossed = [
        snapshot(scene_of({"ct": one}, vec3(middle)), "coronal", (640, 480)).astype(int)
        for one in (volume, without(volume, vec3(middle), 17.0))
    ]
    rows, columns = np.nonzero(np.abs(crossed[0] - crossed[1]).max(axis=2) > 60)
    drawn, _, _ = np.histogram2d(rows, columns, (3, 3))
    assert drawn[2, 0] > 5 * drawn[2, 2], "nothing at the foot but the stem, on the left"
    assert drawn[0].min() > 5 * drawn[2, 2], "the upper stroke goes all the way"
    assert drawn[:, 0].sum() > drawn[:, 2].sum()


@pytest.mark.parametrize("how", ACQUIRED)
def test_another_engine_finds_the_same_voxel_at_the_same_place(how: str, tmp_path: Path) -> None:
    """SimpleITK, on series whose geometry it reads rightly: 400 voxels, by their place in the patient."""
    acquired(how, tmp_path)
    volume = read_from(tmp_path)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    kji = np.random.default_rng(1).integers(0, volume.grid.shape_kji, (400, 3))
    theirs = [image[image.TransformPhysicalPointToIndex(at)] for at in volume.grid.to_lps(kji).tolist()]
    assert np.array_equal(theirs, volume.voxels[tuple(kji.T)])
    assert len(set(theirs)) > 10
