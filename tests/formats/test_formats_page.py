"""docs/formats.md: its table of real files is what the doors make of them today."""

from pathlib import Path

import pytest

from benchmarks import formats_table


@pytest.mark.real_data
def test_the_table_of_real_files_is_up_to_date(shared_data: Path) -> None:
    pytest.importorskip("cascadio")
    made = formats_table.table(shared_data)
    assert made == formats_table.PAGE.shown()
    assert made.count("\n") > 70
    for name in ("102p.stl", "Mean_Bones_Shape.stl", "2025-04/Mean_Limb_Shape.stl"):  # normalised: no unit
        (line,) = [line for line in made.splitlines() if name in line]
        assert "| asks |" in line
