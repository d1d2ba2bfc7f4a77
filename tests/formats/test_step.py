"""STEP: the optional door for parts of a CAD program."""

import zipfile
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from surgiplan.errors import BadInput
from surgiplan.formats.meshes import read_mesh, step
from tests.formats.test_mutants import mutants

SIZES = {  # mm, as its makers state them
    "build123d/M6-1x12-countersunk-screw.step": (10.23, 10.36, 12.0),
    "trimesh/featuretype.STEP": (127.0, 63.5, 34.925),
    "trimesh/BREP/base_interface_AP203.STEP": (599.408, 638.662, 4.7625),
    "trimesh/BREP/base_interface_AP214.STEP": (599.408, 638.662, 4.7625),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", SIZES)
def test_a_part_has_its_size_and_is_closed(shared_data: Path, tmp_path: Path, name: str) -> None:
    pytest.importorskip("cascadio")
    file = tmp_path / Path(name).name
    with zipfile.ZipFile(shared_data / "step_parts" / "step_parts.zip") as archive:
        file.write_bytes(archive.read(name))
    mesh, notes = read_mesh(file)
    assert np.ptp(mesh.bounds, axis=0) == pytest.approx(SIZES[name], abs=0.02)
    assert mesh.watertight
    assert mesh.volume_mm3 > 0
    assert "turned to triangles" in notes.sentences()[0]


def test_without_its_reader_it_is_said_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setattr(step, "_installed", lambda: False)
    with pytest.raises(BadInput, match=r"pip install surgiplan\[step\]"):
        step.read_step(b"ISO-10303-21;\nHEADER;\n")


def test_a_broken_part_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("cascadio")
    (tmp_path / "a.step").write_bytes(b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n#1=NOTHING(")
    with pytest.raises(BadInput, match="damaged or holds no body"):
        read_mesh(tmp_path / "a.step")


@pytest.mark.slow
@pytest.mark.real_data
def test_a_damaged_part_takes_nobody_down(shared_data: Path, tmp_path: Path) -> None:
    """Forty mutants of a screw, each answered within ten seconds by a child that may die."""
    pytest.importorskip("cascadio")
    with zipfile.ZipFile(shared_data / "step_parts" / "step_parts.zip") as archive:
        good = archive.read("build123d/M6-1x12-countersunk-screw.step")
    for what, data in mutants(good, 40, 5):
        (tmp_path / "a.step").write_bytes(data)
        start = monotonic()
        try:
            mesh, _ = read_mesh(tmp_path / "a.step")
            assert np.isfinite(mesh.points).all(), what
        except BadInput:
            pass
        assert monotonic() - start < 10, what


def test_what_open_cascade_prints_is_not_heard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cascadio")
    (tmp_path / "a.step").write_bytes(b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n#1=NOTHING(")
    with pytest.raises(BadInput):
        read_mesh(tmp_path / "a.step")
    assert capfd.readouterr() == ("", "")
