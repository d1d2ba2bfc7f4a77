"""The recipes on real scans: what a hand places there, what comes out, and how it agrees with a reference.

Run: `python -m benchmarks.recipes DATA OUT`; DATA is the developers' data, OUT takes cases and pictures.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from surgiplan.acts import intake
from surgiplan.algorithms.agreement import agreement
from surgiplan.cli import recipes, verbs
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.session import Session
from surgiplan.values import Bits, Mask, Part, Vec3, Volume, figures

Fill = Callable[[Volume], Mapping[str, Any]]
SMALL = "ct_totalseg_small/example_ct_sm.nii.gz"
REFERENCE = "ct_totalseg_small/example_seg.nii.gz"
PELVIS = "ct_pelvis_lumbar/ACRIN-FLT-Breast_001_series.zip"


@dataclass(frozen=True)
class Trial:
    """A recipe on a scan.

    recipe: its name
    scan: archive or file below the data folder
    result: the step that is looked at
    volume_ml: smallest and largest volume that is right
    hand: what a person places, by step: fields made from the scan, in the shape the plan file has
    truth: the step that is compared with the reference, and the labels of the reference that it is
    least_dice: what it reaches, rounded down
    """

    recipe: str
    scan: str
    result: str
    volume_ml: tuple[float, float]
    hand: Mapping[str, Fill] = field(default_factory=dict)
    truth: tuple[str, tuple[int, ...]] = ("", ())
    least_dice: float = 0.0

    @property
    def name(self) -> str:
        """Short, for files and rows."""
        return f"{self.recipe}-{self.scan.partition('/')[0]}"


def joint_space(volume: Volume) -> Mapping[str, Any]:
    """What is erased round the left head of femur of ct_body_coronal: a shell, open towards the neck."""
    centre, neck = np.array([70.0, 15.5, 275.0]), np.array([0.9, 0.1, -0.42])
    kji = np.argwhere(volume.voxels >= 250)
    away = volume.grid.to_lps(kji) - centre
    radius = np.linalg.norm(away, axis=1)
    towards_neck = away @ (neck / np.linalg.norm(neck)) / np.maximum(radius, 1e-6)
    return {"removed": Bits.of(kji[(radius > 18) & (radius < 22) & (towards_neck < 0.7)]).to_text()}


def discs(*places: tuple[Vec3, Vec3], half: float) -> Fill:
    """What is erased above and below a vertebra: a slab round each plane (point, normal)."""

    def erased(volume: Volume) -> Mapping[str, Any]:
        kji = np.argwhere(volume.voxels >= 150)
        at = volume.grid.to_lps(kji)
        found = np.zeros(len(kji), np.bool_)
        for point, normal in places:
            found |= np.abs((at - point) @ (np.asarray(normal) / np.linalg.norm(normal))) < half
        return {"removed": Bits.of(kji[found]).to_text()}

    return erased


TRIALS = (
    Trial("skull", "ct_skull_phantom/S21570_S2030_bone_1mm.zip", "skull", (370, 400)),
    Trial("skin", PELVIS, "skin", (28_000, 29_000)),
    Trial("skin", SMALL, "skin", (6_000, 6_300)),
    Trial(
        "femur",
        "ct_body_coronal/coronal_CView.zip",
        "femur",
        (50, 90),
        {
            "joint": joint_space,
            "femur_mask": lambda _: {"points": [[98, 14, 196], [75, 14, 330]]},
        },
    ),
    Trial(
        "vertebra",
        PELVIS,
        "vertebra",
        (40, 75),
        {
            "discs": discs(
                ((-12.0, 50.0, -612.0), (0.0, 0.33, 0.94)),
                ((-12.0, 50.0, -650.0), (0.0, 0.33, 0.94)),
                half=4.0,
            ),
            "vertebra_mask": lambda _: {"points": [[7.8, 51.8, -625.2], [3.9, 50.8, -663.5]]},
        },
    ),
    Trial(
        "vertebra",
        SMALL,
        "vertebra",
        (20, 60),
        {
            "discs": discs(
                ((-4.0, -119.0, 157.5), (0.0, 0.2, 0.98)),
                ((-4.0, -127.0, 127.5), (0.0, 0.33, 0.94)),
                half=2.5,
            ),
            "vertebra_mask": lambda _: {"points": [[4, -125.3, 145.3], [4, -131.3, 118.3]]},
        },
        ("vertebra", (31,)),
        least_dice=0.5,
    ),
    Trial(
        "rib_cage",
        PELVIS,
        "cage_cut.a",
        (200, 500),
        {"cage_cut": lambda _: {"plane": {"point": [0, 90, -590], "normal": [0, 0, 1]}}},
    ),
)


def applied(trial: Trial, data: Path, session: Session) -> Any:
    """The result of a trial: the scan read, the recipe put on it, the hand's part placed, all computed."""
    modality = "CT" if trial.scan.endswith(".nii.gz") else ""
    loaded = intake.load(data / trial.scan, modality=modality)
    assert isinstance(loaded.value, Volume)
    plan: Plan = intake.keep(session.case, OPERATIONS, session.committed, loaded, "ct")
    steps = recipes.steps_of(Path(trial.recipe))
    placed = {step: fill(loaded.value) for step, fill in trial.hand.items()}
    plan = recipes.joined(plan, [s | {"with": s["with"] | placed.get(s["name"], {})} for s in steps])
    session.commit(plan, trial.name)
    session.pursue().result()
    return session.value(trial.result)


def truth_of(trial: Trial, data: Path, volume: Volume) -> Mask:
    """The labels of the reference as one mask on the voxels of the scan."""
    wanted = {f"label_{n}" for n in trial.truth[1]}
    found = [one for one in intake.load_segments(data / REFERENCE) if one.name in wanted]
    masks = [one.value for one in intake.put_on(found, volume.grid)]
    return Mask(volume.grid, np.logical_or.reduce([mask.voxels for mask in masks if isinstance(mask, Mask)]))


def main(data: Path, out: Path, only: str = "") -> None:
    """Print a row for each trial, and leave its case and its picture.

    only: names of recipes, when not all are wanted
    """
    out.mkdir(parents=True, exist_ok=True)
    print("| recipe | scan | result | against the reference |\n|---|---|---|---|")
    for trial in TRIALS:
        if only and trial.recipe not in only:
            continue
        case = out / f"{trial.name}.surgiplan"
        case.unlink(missing_ok=True)
        with verbs.opened(case, create=True) as session:
            told = verbs.brief(figures(applied(trial, data, session)))
            against = ""
            if trial.truth[0]:
                ours, volume = session.value(trial.truth[0]), session.value("ct")
                assert isinstance(ours, Mask | Part)
                assert isinstance(volume, Volume)
                against = verbs.brief(figures(agreement(ours, truth_of(trial, data, volume))))
            verbs.picture(session, "3d", out / f"{trial.name}.png", (900, 900))
        print(f"| {trial.recipe} | {trial.scan.partition('/')[0]} | {told} | {against} |", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
