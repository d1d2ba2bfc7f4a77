"""Volumes, label maps and meshes of any unit come into a case by word, and go out again."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from surgiplan.formats.meshes import read_mesh, write_mesh
from surgiplan.formats.volumes import read_labels, read_volume, write_volume
from surgiplan.values import Mask, Mesh, Part
from tests.cli.conftest import Run
from tests.ops.shapes import ball, ball_scan


@pytest.fixture
def scan_file(tmp_path: Path) -> Path:
    write_volume(ball_scan(), tmp_path / "scan.nii.gz")
    return tmp_path / "scan.nii.gz"


def test_a_nifti_scan_and_its_label_map_make_a_surface(run: Run, tmp_path: Path, scan_file: Path) -> None:
    scan, case = ball_scan(), tmp_path / "c.surgiplan"
    write_volume(Mask(scan.grid, scan.voxels > 500), tmp_path / "a.seg.nrrd", notes={"step": "knob"})
    assert run("import", scan_file, "--case", case, "--modality", "CT", "--side", "R").code == 0
    assert (
        run("import", tmp_path / "a.seg.nrrd", "--case", case, "--on", "ct", "--json").data["name"] == "knob"
    )
    assert run("add", case, "surface", "bone", "--volume", "ct", "--mask", "knob", "--level", "500").code == 0
    for suffix in (".stl", ".3mf", ".glb"):
        assert run("export", case, "bone", "--to", tmp_path / f"b{suffix}").code == 0
        mesh, _ = read_mesh(tmp_path / f"b{suffix}")
        assert mesh.watertight
        assert mesh.volume_mm3 == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.02)
    assert run("verify", case).code == 0


def test_without_a_modality_a_warning_stands_in_the_answer(run: Run, tmp_path: Path, scan_file: Path) -> None:
    answer = run("import", scan_file, "--case", tmp_path / "c.surgiplan", "--json")
    assert answer.code == 0
    assert answer.data["name"] == "scan"
    assert (answer.data["figures"]["modality"], answer.data["figures"]["unit"]) == ("", "")
    assert "by eye" in answer.err


def test_each_label_becomes_a_step(run: Run, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(np.arange(8, dtype=np.uint8).reshape(2, 2, 2))
    SimpleITK.WriteImage(image, str(tmp_path / "a.mha"))
    answer = run("import", tmp_path / "a.mha", "--labels", "--case", tmp_path / "c.surgiplan", "--json")
    assert answer.data["names"] == [f"label_{n}" for n in range(1, 8)]
    assert answer.data["figures"]["label_3"]["voxels"] == 1
    assert run("undo", tmp_path / "c.surgiplan", "--json").data["steps"] == []


def test_a_mask_and_a_scan_go_out(run: Run, case: Path, tmp_path: Path) -> None:
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        assert run("export", case, "ct", "--to", tmp_path / f"s{suffix}").code == 0
        assert np.array_equal(read_volume(tmp_path / f"s{suffix}", "CT")[0].voxels, ball_scan().voxels)
    for suffix in (".seg.nrrd", ".nii.gz", ".nrrd"):
        assert run("export", case, "mask", "--to", tmp_path / f"m{suffix}").code == 0
        (found,) = read_labels(tmp_path / f"m{suffix}")[0].values()
        assert np.array_equal(found.voxels, ball_scan().voxels >= 500)
    assert run("export", case, "ct", "--to", tmp_path / "s.stl").code == 10
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("[sm].*"))
    assert b"PHANTOM" not in raw


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1.0), ("cm", 10.0), ("m", 1000.0), ("inch", 25.4)])
@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
def test_a_shape_of_unlikely_size_needs_its_unit(
    run: Run, tmp_path: Path, unit: str, factor: float, suffix: str
) -> None:
    """Of normalised size: refused with the size it would have in each unit, then read in the one given."""
    mesh = ball(0.35).mesh
    write_mesh(Part(Mesh(mesh.points, mesh.triangles)), tmp_path / f"limb{suffix}")
    words = ("import", tmp_path / f"limb{suffix}", "--case", tmp_path / "c.surgiplan")
    refused = run(*words)
    assert refused.code == 10
    assert "--unit mm for 0.7 x 0.7 x 0.7 mm" in refused.err
    assert "--unit m for 700 x 700 x 700 mm" in refused.err
    assert not (tmp_path / "c.surgiplan").exists()
    answer = run(*words, "--unit", unit, "--json")
    low, high = np.array(answer.data["figures"]["bounds_lps"])
    assert high - low == pytest.approx(0.7 * factor, rel=0.02)


def test_a_stated_unit_is_only_overruled_by_word(run: Run, tmp_path: Path) -> None:
    write_mesh(ball(12.0), tmp_path / "a.glb")
    first = run("import", tmp_path / "a.glb", "--case", tmp_path / "c.surgiplan", "--json").data["figures"]
    again = run(
        "import", tmp_path / "a.glb", "--case", tmp_path / "c.surgiplan", "--unit", "m", "--json"
    ).data
    assert again["figures"]["bounds_lps"] == first["bounds_lps"]
    small = run(
        "import", tmp_path / "a.glb", "--case", tmp_path / "c.surgiplan", "--unit", "cm", "--json"
    ).data
    assert small["figures"]["volume_mm3"] == pytest.approx(first["volume_mm3"] / 1e6)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--unit", "mm"), "--unit does not go with"),
        (("--series", "1.2"), "--series does not go with"),
        (("--on", "ct"), "add --labels"),
        (("--labels", "--on", "nothing"), "no step 'nothing'"),
        (("--labels", "--modality", "CT"), "--modality does not go with"),
    ],
)
def test_words_that_do_not_fit_the_file_are_usage(
    run: Run, case: Path, scan_file: Path, words: tuple[str, ...], said: str
) -> None:
    answer = run("import", scan_file, "--case", case, *words)
    assert answer.code == 2
    assert said in answer.err


def test_a_label_map_of_another_scan_is_refused(run: Run, case: Path, tmp_path: Path) -> None:
    image = SimpleITK.GetImageFromArray(np.ones((3, 3, 3), np.uint8))
    SimpleITK.WriteImage(image, str(tmp_path / "a.nrrd"))
    answer = run("import", tmp_path / "a.nrrd", "--labels", "--on", "ct", "--case", case)
    assert answer.code == 10
    assert "does not lie on the voxels" in answer.err
    assert run("import", tmp_path / "a.nrrd", "--labels", "--on", "mask", "--case", case).code == 2
