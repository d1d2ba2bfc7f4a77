import json
import time

import numpy as np
import pydicom
import pytest

from surgiplan.errors import Cancelled, Usage
from surgiplan.phantoms import PHANTOMS, Femur, Hip, write_phantom
from surgiplan.phantoms.sample import write_samples
from surgiplan.values import Volume, digest


@pytest.fixture(scope="module", params=list(PHANTOMS))
def coarse(request) -> Volume:
    phantom = PHANTOMS[request.param]()
    spacing = tuple(2.5 * step for step in phantom.spacing_kji)
    began = time.perf_counter()
    volume = phantom.volume(spacing)
    print(f"{request.param}: {volume.voxels.shape} in {time.perf_counter() - began:.2f} s")
    return volume


class TestEveryPhantom:
    def test_is_neither_cubic_nor_isotropic(self, coarse):
        assert len(set(coarse.voxels.shape)) == 3
        assert len({round(step, 6) for step in coarse.grid.spacing_kji}) > 1

    def test_is_not_symmetric_in_any_direction(self, coarse):
        for axis in range(3):
            other = np.flip(coarse.voxels, axis)
            assert (np.abs(coarse.voxels.astype(int) - other) > 100).mean() > 1e-3

    def test_does_not_touch_the_left_or_right_border_of_its_scan(self, coarse):
        high = coarse.voxels.max()
        assert coarse.voxels[:, :, [0, -1]].max() < 0.5 * high


@pytest.mark.parametrize("name", PHANTOMS)
def test_scanning_twice_gives_the_same_bits_and_a_seed_changes_them(name):
    phantom = PHANTOMS[name]()
    spacing = tuple(6 * step for step in phantom.spacing_kji)
    taken = [digest(phantom.volume(spacing, noise_hu=10.0, psf_sigma_mm=0.5, seed=s)) for s in (1, 1, 2)]
    assert taken[0] == taken[1] != taken[2]
    assert PHANTOMS[name]() == phantom


@pytest.mark.parametrize("name", [name for name in PHANTOMS if name != "chirality"])
def test_the_level_lies_half_way_at_the_surface(name):
    """Voxels cut in half by the surface have the level on the whole (the balls of `chirality` differ)."""
    phantom = PHANTOMS[name]()
    points = phantom.mesh(4.0).points_lps
    volume = phantom.volume(tuple(2 * step for step in phantom.spacing_kji))
    kji = np.rint(volume.grid.to_kji(points)).astype(int)
    off = phantom.surface_distance(volume.grid.to_lps(kji))
    near = np.abs(off) < 0.05 * max(volume.grid.spacing_kji)
    values = volume.voxels[tuple(kji[near].T)]
    assert near.sum() > 10
    contrast = 2 * (max(hu for _, hu in phantom.materials) - phantom.level_hu)
    assert np.median(values) == pytest.approx(phantom.level_hu, abs=0.12 * abs(contrast))


def test_a_series_holds_the_voxels_in_their_places(tmp_path):
    folder = write_phantom("sphere", tmp_path / "out", noise_hu=8.0, seed=5)
    volume = PHANTOMS["sphere"]().volume(noise_hu=8.0, seed=5)
    files = sorted(folder.iterdir())
    assert len(files) == len(volume.voxels)
    for k in (0, 20, len(files) - 1):
        image = pydicom.dcmread(files[k])
        assert np.allclose(image.ImagePositionPatient, volume.grid.to_lps((k, 0, 0)), atol=1e-6)
        assert np.array_equal(image.pixel_array.astype(int) + int(image.RescaleIntercept), volume.voxels[k])
    assert image.FrameOfReferenceUID == PHANTOMS["sphere"]().frame_uid
    assert image.PatientID == "PHANTOM-SOLIDS"


def test_the_same_arguments_write_the_same_bytes(tmp_path):
    one, two = (write_phantom("chirality", tmp_path / n) for n in ("one", "two"))
    for file in one.iterdir():
        assert file.read_bytes() == (two / file.name).read_bytes()


def test_other_noise_or_another_shape_is_another_series(tmp_path):
    def series(folder: str, phantom, **how: float) -> str:
        phantom.write(tmp_path / folder, **how)
        return str(pydicom.dcmread(next((tmp_path / folder).iterdir())).SeriesInstanceUID)

    sphere = PHANTOMS["sphere"]
    uids = {
        series("a", sphere()),
        series("b", sphere(), noise_hu=3.0),
        series("c", sphere(radius_mm=19.0)),
        series("d", PHANTOMS["ellipsoid"]()),
    }
    assert len(uids) == 4


def test_femur_and_hip_are_one_patient():
    assert Femur.patient == Hip.patient
    assert Femur.series_number != Hip.series_number
    assert Femur().frame_uid == Hip().frame_uid != PHANTOMS["skull"]().frame_uid


def test_an_unknown_name_is_told_the_known_ones(tmp_path):
    with pytest.raises(Usage, match=r"'knee'.*sphere.*limb"):
        write_phantom("knee", tmp_path)
    assert not list(tmp_path.iterdir())


def test_samples_are_small_and_true(tmp_path):
    write_samples(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 3_000_000
    assert {file.name for file in tmp_path.iterdir()} == {
        "chirality", "sphere", "limb.stl", "skull_patch.stl", "truth.json",
    }  # fmt: skip
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert truth["sphere"]["volume_mm3"] == pytest.approx(33510.322)
    assert truth["chirality"]["L"][0] > truth["chirality"]["R"][0]


def test_a_scan_says_how_far_it_is_and_can_be_stopped(tmp_path):
    told: list[float] = []
    write_phantom("torus", tmp_path / "told", report=lambda share, text: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 20

    def stop(share: float, text: str) -> None:
        if share > 0.3:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        write_phantom("torus", tmp_path / "stopped", report=stop)
    assert not (tmp_path / "stopped").exists()
