"""`surgiplan compare A B`: files and steps of cases."""

from pathlib import Path

import pytest

from surgiplan.formats.meshes import write_mesh
from surgiplan.phantoms.bodies import SpherePhantom
from tests.cli.conftest import Run
from tests.ops.shapes import CENTRE, ball, beside


@pytest.fixture
def shifted(tmp_path: Path) -> Path:
    """The ball of the case, 3 mm further to the left."""
    write_mesh(ball(at=beside(CENTRE, 3, 0, 0), rings=60), tmp_path / "shifted.stl")
    return tmp_path / "shifted.stl"


def test_a_step_beside_a_file(run: Run, case: Path, shifted: Path) -> None:
    told = run("compare", f"{case}:ball", shifted, "--json", "--tolerance", 0.5).data
    assert told["hausdorff_mm"] == pytest.approx(3, abs=0.15)
    assert told["dice"] == pytest.approx((48 + 3) * (24 - 3) ** 2 / (16 * 12**3), abs=0.005)
    assert told["nsd"] == pytest.approx(0.5 / 3, abs=0.01)
    assert "within 0.5 mm of the other" in told["definitions"]["NSD"]


def test_a_mask_beside_its_surface_in_words(run: Run, case: Path) -> None:
    answer = run("compare", f"{case}:mask", f"{case}:ball")
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["Dice", "Jaccard", "HD", "HD95", "ASSD", "NSD"]
    assert " mm  Hausdorff distance: " in lines[2]
    assert "LPS mm" in lines[6]


def test_what_cannot_be_compared_is_refused(run: Run, case: Path, shifted: Path, tmp_path: Path) -> None:
    assert "say which step" in run("compare", case, shifted).err
    assert run("compare", case, shifted).code == 2
    assert "make one of it with threshold" in run("compare", f"{case}:ct", shifted).err
    assert run("compare", tmp_path / "none.stl", shifted).code == 10
    assert run("compare", f"{case}:nothing", shifted).code == 2
    assert run("compare", shifted, shifted, "--tolerance", -1).code == 2
    scan = SpherePhantom().write(tmp_path / "scan")
    assert run("compare", scan, shifted).code == 10


def test_a_label_map_beside_the_mask_it_was_written_from(run: Run, case: Path, tmp_path: Path) -> None:
    file = tmp_path / "ball.nii.gz"
    assert run("export", case, "mask", "--to", file).code == 0
    told = run("compare", file, f"{case}:mask", "--json").data
    assert told["dice"] == pytest.approx(1, abs=1e-6)
    assert told["hausdorff_mm"] < 1e-3
    answer = run("compare", f"{file}:nothing", f"{case}:mask")
    assert answer.code == 2
    assert "say which segment of ball.nii.gz: ball.nii.gz:" in answer.err
