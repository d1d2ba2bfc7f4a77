"""The recipes on real scans: what a hand places there, what comes out, and how it agrees with a reference.

Run: `python -m benchmarks.recipes DATA OUT`; DATA is the developers' data, OUT takes cases and pictures.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from surgiplan.acts import intake
from surgiplan.algorithms.agreement import agreement
from surgiplan.cli import verbs
from surgiplan.ops import OPERATIONS
from surgiplan.plan.plan import Plan
from surgiplan.recipes import files
from surgiplan.session import Session
from surgiplan.values import Bits, Mask, Part, Vec3, Volume, figures

Fill = Callable[[Session], Mapping[str, Any]]
SMALL = "ct_totalseg_small/example_ct_sm.nii.gz"
REFERENCE = "ct_totalseg_small/example_seg.nii.gz"
HIP = "ct_body_coronal/coronal_CView.zip"
PELVIS = "ct_pelvis_lumbar/ACRIN-FLT-Breast_001_series.zip"


@dataclass(frozen=True)
class Trial:
    """A recipe on a scan.

    recipe: its name
    scan: archive or file below the data folder
    result: the step that is looked at
    volume_ml: smallest and largest volume that is right
    hand: what a person places, by step: fields made from the steps above, in the shape the plan file has
    truth: the step that is compared with the reference, and the labels of the reference that it is
    least_dice: what it reaches, rounded down
    most_hd95_mm: what it reaches, rounded up
    slice_step_mm: between slices, where the files must be wrong: those of ct_body_coronal say 1.68 mm, but
        the head of the femur is round (a ball of 23.2 mm in radius, to 0.65 mm RMS) when it is 3.76 mm
    """

    recipe: str
    scan: str
    result: str
    volume_ml: tuple[float, float]
    hand: Mapping[str, Fill] = field(default_factory=dict)
    truth: tuple[str, tuple[int, ...]] = ("", ())
    least_dice: float = 0.0
    most_hd95_mm: float = 0.0
    slice_step_mm: float | None = None

    @property
    def name(self) -> str:
        """Short, for files and rows."""
        return f"{self.recipe}-{self.scan.partition('/')[0]}"


def at(*points: Vec3) -> Fill:
    """Points that are clicked, LPS mm."""
    return lambda _: {"points": [list(point) for point in points]}


def ball(step: str, centre: Vec3, radius_mm: float) -> Fill:
    """What the ball brush paints when it is set once on a point, LPS mm; on the grid of a step."""

    def painted(session: Session) -> Mapping[str, Any]:
        scan = session.value(step)
        assert isinstance(scan, Volume)
        kji = np.indices(scan.grid.shape_kji).reshape(3, -1).T
        away = np.linalg.norm(scan.grid.to_lps(kji) - centre, axis=1)
        return {"added": Bits.of(kji[away <= radius_mm]).to_text()}

    return painted


def discs(*places: tuple[Vec3, Vec3, float], half: float) -> Fill:
    """What is erased above and below the body of a vertebra.

    places: a point in each disc, the normal of its plane and where it ends towards the back, LPS mm
    half: half of the thickness that goes, mm
    """

    def erased(session: Session) -> Mapping[str, Any]:
        mask = session.value("bone")
        assert isinstance(mask, Mask)
        kji = np.argwhere(mask.voxels)
        lps = mask.grid.to_lps(kji)
        found = np.zeros(len(kji), np.bool_)
        for point, normal, back in places:
            away = np.abs((lps - point) @ (np.asarray(normal) / np.linalg.norm(normal)))
            found |= (away < half) & (lps[:, 1] < back)
        return {"removed": Bits.of(kji[found]).to_text()}

    return erased


AT_THE_HIP: Mapping[str, Fill] = {
    "near": at((36, -200, 170), (150, 200, 345)),
    "head": ball("even", (76.0, 70.5, 271.0), 22.3),
    "shaft": lambda _: {"seeds": [[97, 69, 215]]},
}

TRIALS = (
    Trial("skull", "ct_skull_phantom/S21570_S2030_bone_1mm.zip", "skull", (370, 400)),
    Trial("skin", PELVIS, "skin", (28_000, 29_000)),
    Trial("skin", SMALL, "skin", (6_000, 6_300)),
    Trial("femur", HIP, "femur", (140, 155), AT_THE_HIP, slice_step_mm=3.76),
    Trial("hip", HIP, "pelvis", (155, 185), AT_THE_HIP, slice_step_mm=3.76),
    Trial(
        "vertebra_split",
        PELVIS,
        "vertebra",
        (50, 60),
        {
            "near": at((-75, 10, -720), (50, 130, -540)),
            "one": lambda _: {"seeds": [[-18, 100, -634]]},
        },
    ),
    Trial(
        "vertebra",
        PELVIS,
        "vertebra",
        (65, 75),
        {
            "near": at((-62, 20, -672), (38, 130, -588)),
            "bone": lambda _: {"low": 130},
            "discs": discs(
                ((-12.0, 50.0, -610.0), (0.0, 0.05, 1.0), 66.0),
                ((-12.0, 50.0, -648.0), (0.0, 0.05, 1.0), 66.0),
                half=3.5,
            ),
            "vertebra_parts": at(
                (-26, 46, -634),
                (-18, 100, -634),
                (-32, 82, -617),
                (-4, 82, -617),
                (-26, 86, -651),
                (-10, 86, -651),
                (-24, 50, -600),
                (-26, 88, -617),
                (-10, 88, -617),
                (-26, 44, -668),
                (-18, 86, -668),
                (-37, 84, -658),
                (0, 84, -658),
            ),
        },
    ),
    Trial(
        "vertebra",
        SMALL,
        "vertebra",
        (59, 65),
        {
            "near": at((-45, -150, 95), (50, -55, 182)),
            "discs": discs(
                ((-4.0, -114.0, 153.0), (0.0, 0.27, 0.96), -91.0),
                ((-4.0, -121.0, 121.5), (0.0, 0.25, 0.97), -101.0),
                half=2.5,
            ),
            "vertebra_parts": at(
                (4, -114, 136),
                (4, -76, 125),
                (20, -97, 141),
                (-11, -91, 141),
                (9, -92, 115),
                (-6, -94, 114),
                (6, -98, 171),
                (12, -84, 146),
                (-6, -84, 149),
                (5, -127, 108),
                (2, -82, 95),
                (20, -97, 111),
                (-12, -100, 114),
            ),
        },
        ("vertebra", (31,)),
        least_dice=0.88,
        most_hd95_mm=3.0,
    ),
    Trial(
        "rib_cage",
        PELVIS,
        "cage",
        (600, 660),
        {"near": at((-155, -100, -640), (140, 135, -429))},
    ),
    Trial(
        "rib_cage",
        SMALL,
        "cage",
        (200, 250),
        {"near": at((-155, -260, 90), (170, -50, 185))},
        ("cage_mask", (30, 31, 32, 33, *range(98, 116))),
        least_dice=0.81,
        most_hd95_mm=4.0,
    ),
)


def applied(trial: Trial, data: Path, session: Session) -> Any:
    """The result of a trial: the scan read, the recipe put on it, the hand's part placed, all computed."""
    modality = "CT" if trial.scan.endswith(".nii.gz") else ""
    loaded = intake.load(data / trial.scan, modality=modality)
    assert isinstance(loaded.value, Volume)
    if trial.slice_step_mm is not None:
        loaded = replace(loaded, value=restated(loaded.value, trial.slice_step_mm))
    plan: Plan = intake.keep(session.case, OPERATIONS, session.committed, loaded, "ct")
    for step in files.steps_of(Path(trial.recipe)):
        fill = trial.hand.get(step["name"])
        if fill is not None:
            session.commit(plan, trial.name)
            session.pursue().result()
            step = step | {"with": step["with"] | fill(session)}
        plan = files.joined(plan, [step], keep=True)
    session.commit(plan, trial.name)
    session.pursue().result()
    return session.value(trial.result)


def restated(volume: Volume, step_mm: float) -> Volume:
    """The same voxels, the slices as far apart as this."""
    affine = volume.grid.kji_to_lps.copy()
    affine[:3, 0] *= step_mm / np.linalg.norm(affine[:3, 0])
    return replace(volume, grid=replace(volume.grid, kji_to_lps=affine))


def truth_of(trial: Trial, data: Path, volume: Volume) -> Mask:
    """The labels of the reference as one mask on the voxels of the scan."""
    wanted = {f"label_{n}" for n in trial.truth[1]}
    found = [one for one in intake.load_segments(data / REFERENCE) if one.name in wanted]
    masks = [one.value for one in intake.put_on(found, volume.grid)]
    return Mask(volume.grid, np.logical_or.reduce([mask.voxels for mask in masks if isinstance(mask, Mask)]))


def main(data: Path, out: Path, only: str = "") -> None:
    """Print a row for each trial, and leave its case and its picture.

    only: names of recipes with commas between, when not all are wanted
    """
    out.mkdir(parents=True, exist_ok=True)
    print("| recipe | scan | result | against the reference |\n|---|---|---|---|")
    for trial in TRIALS:
        if only and trial.recipe not in only.split(","):
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
