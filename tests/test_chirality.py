"""Left stays left through every door: 735 pairs of a way in and a way out, each judged twice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pydicom
import pytest
import SimpleITK
import trimesh
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from surgiplan.formats.dicom import read_series, scan
from surgiplan.formats.dicom.dicomwrite import write_series
from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.formats.volumes import read_volume, write_volume
from surgiplan.values import FloatArray, Mesh, Part, Volume
from tests.formats.making import J2K, recoded
from tests.test_laterality import (
    ACQUIRED,
    PHANTOM,
    balls_in,
    lattice,
    places_in_picture,
    surface_of,
)

pytestmark = pytest.mark.slow
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@cache
def scanned(how: str) -> Volume:
    """The phantom on the lattice of an acquisition."""
    return PHANTOM.volume(grid=lattice(ACQUIRED[how]))


def turned_round(volume: Volume, axis: int) -> tuple[Any, FloatArray]:
    """The same voxels at the same places, stored the other way along one of k, j, i: a left-handed order."""
    place = volume.grid.kji_to_lps.copy()
    place[:3, 3] += place[:3, axis] * (volume.voxels.shape[axis] - 1)
    place[:3, axis] *= -1
    return np.flip(volume.voxels, axis).copy(), place


# --- ways in: each writes the scan with another program and reads it with ours


def by_dicom(syntax: str) -> Callable[[Volume, Path], Volume]:
    def way(volume: Volume, folder: Path) -> Volume:
        for file in write_series(volume, folder):
            image = pydicom.dcmread(file)
            if syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
                image.file_meta.TransferSyntaxUID = syntax
                image.save_as(
                    file, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, overwrite=True
                )
            elif syntax == JPEG2000Lossless:
                recoded(file, J2K)
            elif syntax:
                image.compress(syntax)
                image.save_as(file)
        (series,) = scan(folder).series
        assert series.usable, series.reason
        return read_series(series)

    return way


def by_nifti(left_handed: bool, form: str) -> Callable[[Volume, Path], Volume]:
    def way(volume: Volume, folder: Path) -> Volume:
        voxels, place = turned_round(volume, 2) if left_handed else (volume.voxels, volume.grid.kji_to_lps)
        image = nibabel.Nifti1Image(voxels.T, None)
        image.header.set_xyzt_units("mm")
        getattr(image, f"set_{form}")(TO_RAS @ place[:, [2, 1, 0, 3]], 1)
        nibabel.save(image, folder / "a.nii.gz")
        return read_volume(folder / "a.nii.gz", "CT")[0]

    return way


def by_nrrd(space: str, signs: Any, axis: int | None = None) -> Callable[[Volume, Path], Volume]:
    def way(volume: Volume, folder: Path) -> Volume:
        whole = (volume.voxels, volume.grid.kji_to_lps)
        voxels, place = whole if axis is None else turned_round(volume, axis)
        header = {
            "space": space,
            "space directions": place[:3, [2, 1, 0]].T * signs,
            "space origin": place[:3, 3] * signs,
        }
        nrrd.write(str(folder / "a.nrrd"), voxels, header, index_order="C")
        return read_volume(folder / "a.nrrd", "CT")[0]

    return way


def as_image(voxels: Any, place: FloatArray) -> SimpleITK.Image:
    image = SimpleITK.GetImageFromArray(voxels)
    spacing = np.linalg.norm(place[:3, :3], axis=0)
    image.SetSpacing(spacing[::-1].tolist())
    image.SetDirection((place[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    image.SetOrigin(place[:3, 3].tolist())
    return image


def by_itk(name: str, axis: int | None = None) -> Callable[[Volume, Path], Volume]:
    def way(volume: Volume, folder: Path) -> Volume:
        whole = (volume.voxels, volume.grid.kji_to_lps)
        image = as_image(*(whole if axis is None else turned_round(volume, axis)))
        SimpleITK.WriteImage(image, str(folder / name), True)
        return read_volume(folder / name, "CT")[0]

    return way


WAYS_IN: Mapping[str, Callable[[Volume, Path], Volume]] = {
    "DICOM": by_dicom(""),
    "DICOM implicit": by_dicom(ImplicitVRLittleEndian),
    "DICOM deflated": by_dicom(DeflatedExplicitVRLittleEndian),
    "DICOM RLE": by_dicom(RLELossless),
    "DICOM JPEG-LS": by_dicom(JPEGLSLossless),
    "DICOM JPEG 2000": by_dicom(JPEG2000Lossless),
    "NIfTI right-handed": by_nifti(False, "sform"),
    "NIfTI left-handed": by_nifti(True, "sform"),
    "NIfTI qform left-handed": by_nifti(True, "qform"),
    "NIfTI of ITK": by_itk("a.nii"),
    "NRRD LPS": by_nrrd("left-posterior-superior", (1, 1, 1)),
    "NRRD RAS": by_nrrd("right-anterior-superior", (-1, -1, 1)),
    "NRRD LAS left-handed": by_nrrd("left-anterior-superior", (1, -1, 1), 1),
    "MetaImage": by_itk("a.mha"),
    "MetaImage left-handed": by_itk("a.mhd", 0),
}


# --- ways out: each writes the surface with our program; in RAS as other programs of this field do


def in_ras(mesh: Mesh, path: Path) -> None:
    """As a program writes it that works in RAS and says so."""
    write_mesh_of(replace(mesh, points=mesh.points * np.array((-1, -1, 1), np.float32)), path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"SPACE=LPS", b"SPACE=RAS"))


def write_mesh_of(mesh: Mesh, path: Path) -> None:
    write_mesh(Part(mesh), path)


WAYS_OUT: Mapping[str, Callable[[Mesh, Path], None]] = {
    ".stl": write_mesh_of,
    ".ply": write_mesh_of,
    ".obj": write_mesh_of,
    ".3mf": write_mesh_of,
    ".glb": write_mesh_of,
    "ras.stl": in_ras,
    "ras.ply": in_ras,
}
COMBINATIONS = len(ACQUIRED) * len(WAYS_IN) * len(WAYS_OUT)


def read_by_another(path: Path) -> Mesh:
    """The same file as trimesh reads it, with the axes of its format turned to LPS mm by hand."""
    theirs = trimesh.load(path, force="mesh", process=False, merge_norm=True, merge_tex=True)
    points = np.asarray(theirs.vertices)
    if path.suffix == ".glb":
        points = points[:, [0, 2, 1]] * (1000, -1000, 1000)
    if path.name.startswith("ras"):
        points = points * (-1, -1, 1)
    where, faces = np.unique(points.astype(np.float32), axis=0, return_inverse=True)
    return Mesh(where, faces.ravel()[np.asarray(theirs.faces)].astype(np.int32))


def test_there_are_more_than_enough_combinations() -> None:
    assert COMBINATIONS >= 200


@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("how", ACQUIRED)
def test_left_stays_left_through_every_pair_of_doors(how: str, way_in: str, tmp_path: Path) -> None:
    truth = scanned(how)
    (tmp_path / "in").mkdir()
    volume = WAYS_IN[way_in](truth, tmp_path / "in")
    for marker in PHANTOM.markers.values():  # the grey values of the balls lie where the balls are
        at = volume.grid.nearest(marker.centre_lps)
        assert at is not None
        assert volume.voxels[at] == marker.hu, "a ball lies elsewhere"
    mesh = surface_of(volume).placed()
    assert PHANTOM.handedness(mesh) == 1
    for name, write in WAYS_OUT.items():
        path = tmp_path / (name if name.startswith("ras") else f"a{name}")
        write(mesh, path)
        for again in (read_mesh(path)[0], read_by_another(path)):
            assert PHANTOM.handedness(again) == 1, f"{way_in} to {name}: mirrored"
            errors = PHANTOM.marker_errors_mm(again)
            assert max(errors.values()) < 0.15, f"{way_in} to {name}: {errors}"
            assert again.volume_mm3 > 0, f"{way_in} to {name}: turned inside out"


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("how", ACQUIRED)
def test_a_scan_that_goes_out_lies_where_it_lay(how: str, suffix: str, tmp_path: Path) -> None:
    """As SimpleITK finds it, and for NIfTI as nibabel does."""
    truth = scanned(how)
    write_volume(truth, tmp_path / f"a{suffix}")
    image = SimpleITK.ReadImage(str(tmp_path / f"a{suffix}"))
    for marker in PHANTOM.markers.values():
        assert image[image.TransformPhysicalPointToIndex(marker.centre_lps)] == marker.hu
        if suffix == ".nii.gz":
            theirs: Any = nibabel.load(tmp_path / f"a{suffix}")
            ras = TO_RAS @ (*marker.centre_lps, 1)
            index = np.rint(np.linalg.inv(theirs.affine) @ ras)[:3].astype(int)
            assert np.asanyarray(theirs.dataobj)[tuple(index)] == marker.hu


@pytest.mark.parametrize("way_in", ["NIfTI left-handed", "NRRD RAS", "MetaImage left-handed"])
@pytest.mark.parametrize("suffix", [".3mf", ".glb"])
def test_the_picture_at_the_end_shows_the_sides(
    graphics: None, way_in: str, suffix: str, tmp_path: Path
) -> None:
    """Seen from the front, the ball of the left side is on the right, the upper one above."""
    volume = WAYS_IN[way_in](scanned("oblique"), tmp_path)
    write_mesh_of(surface_of(volume).placed(), tmp_path / f"a{suffix}")
    places = places_in_picture(balls_in(read_mesh(tmp_path / f"a{suffix}")[0]), "anterior")
    assert places["L"][0] > places["R"][0] + 20
    assert places["S"][1] < places["A"][1] - 20
