"""The recipes on real scans, with what a person places there: closed bodies of the right size and place."""

from pathlib import Path

import pytest

from benchmarks.recipes import TRIALS, Trial, applied, truth_of
from surgiplan.algorithms.agreement import agreement
from surgiplan.cli import verbs
from surgiplan.values import Mask, Part, Volume

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_a_recipe_gives_its_bone(
    trial: Trial, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURGIPLAN_CACHE", str(tmp_path / "cache"))
    with verbs.opened(tmp_path / "a.surgiplan", create=True) as session:
        part = applied(trial, shared_data, session)
        assert isinstance(part, Part)
        assert part.mesh.watertight
        low, high = trial.volume_ml
        assert low < part.mesh.volume_mm3 / 1000 < high
        step, labels = trial.truth
        if labels:
            ours, volume = session.value(step), session.value("ct")
            assert isinstance(ours, Mask | Part)
            assert isinstance(volume, Volume)
            found = agreement(ours, truth_of(trial, shared_data, volume))
            assert found.dice is not None
            assert found.dice > trial.least_dice
            assert found.hd95_mm < trial.most_hd95_mm
