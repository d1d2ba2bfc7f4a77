"""A leg made of landmarks, every angle of it known."""

from dataclasses import dataclass

import numpy as np

from surgiplan.values import IDENTITY, FloatArray, Landmarks, Places, Pose, Side


@dataclass(frozen=True)
class Leg:
    """Landmarks of a leg whose angles are its fields.

    In its own coordinates x goes outwards, y to the back, z up; it is built as a right leg and mirrored for
    a left one.

    hka_deg: valgus positive
    mldfa_deg, mpta_deg, slope_deg, torsion_deg: as clinicians have them
    """

    hka_deg: float = -4.0
    mldfa_deg: float = 88.0
    mpta_deg: float = 86.0
    slope_deg: float = 7.0
    torsion_deg: float = 25.0
    femur_mm: float = 430.0
    tibia_mm: float = 370.0
    width_mm: float = 76.0

    @property
    def jlca_deg(self) -> float:
        """What the other three leave."""
        return self.mpta_deg - self.mldfa_deg - self.hka_deg

    def places(self, side: Side = "right") -> dict[str, FloatArray]:
        """By name, LPS mm with the notch of the femur in the origin; the leg stands upright."""

        def tilted(degrees: float) -> FloatArray:
            turn = np.radians(degrees)
            return np.array([np.cos(turn), 0.0, np.sin(turn)])  # outwards, rising by so much

        hip = np.array([0.0, 0.0, self.femur_mm])
        joint = tilted(90.0 - self.mldfa_deg)  # the line from medial to lateral below the femur
        spine = np.array([1.5, -2.0, -9.0])
        down = -tilted(90.0 + self.hka_deg)
        ankle = spine + self.tibia_mm * down
        plateau = tilted(90.0 - self.mldfa_deg - self.jlca_deg)
        up = -down
        aside = plateau - (plateau @ up) * up
        aside /= np.linalg.norm(aside)
        back = np.cross(aside, up) * -1.0
        back = back if back[1] > 0 else -back
        slope, torsion = np.radians(self.slope_deg), np.radians(self.torsion_deg)
        rim = np.cos(slope) * back - np.sin(slope) * up
        feet = np.cos(torsion) * aside + np.sin(torsion) * back
        middle = spine + np.array([0.0, 1.0, -3.0])
        half = self.width_mm / 2
        places = {
            "head_centre": hip,
            "knee_centre": np.zeros(3),
            "medial_condyle_distal": np.array([0, 0, -8.0]) - 24 * joint + [0, 3, 0],
            "lateral_condyle_distal": np.array([0, 0, -8.0]) + 25 * joint + [0, -2, 0],
            "medial_condyle_posterior": np.array([-25.0, 33.0, 10.0]),
            "lateral_condyle_posterior": np.array([24.0, 33.0, 12.0]),
            "tibial_spine_centre": spine,
            "ankle_centre": ankle,
            "medial_plateau": middle - 22 * plateau,
            "lateral_plateau": middle + 24 * plateau,
            "medial_plateau_edge": middle - half * plateau,
            "lateral_plateau_edge": middle + half * plateau,
            "medial_plateau_anterior": middle - 22 * plateau - 20 * rim,
            "medial_plateau_posterior": middle - 22 * plateau + 21 * rim,
            "lateral_plateau_posterior": middle - 22 * plateau + 21 * rim + 45 * aside + 4 * up,
            "medial_malleolus": ankle - 30 * feet - 8 * up,
            "lateral_malleolus": ankle + 33 * feet - 19 * up,
            "tibial_shaft_proximal": middle + 70 * down + [3, 1, 0],
            "tibial_shaft_distal": middle + 270 * down + [3, 1, 0],
        }
        mirror = np.array([-1.0, 1.0, 1.0]) if side == "right" else np.ones(3)
        return {name: place * mirror for name, place in places.items()}

    def landmarks(self, side: Side = "right", pose: Pose = IDENTITY, error_mm: float = 1.0) -> Landmarks:
        """As a step gives them, anywhere in the patient."""
        places = {name: pose.apply(place) for name, place in self.places(side).items()}
        return Landmarks(Places(places), "leg", side, "", (error_mm,) * len(places))
