"""What errors on the way to the operation do to a margin."""

from dataclasses import dataclass

import numpy as np

from .arrays import FloatsArray, Vec3, frozen, vec3


@dataclass(frozen=True, eq=False)
class Tolerance:
    """How large a margin is likely to be, and how likely something is reached that must not be.

    margin_mm: the margin as planned
    margin_mean_mm, margin_p5_mm, margin_p95_mm: mean and 5 % and 95 % quantile of the margin over the trials
    least_margin_mm: the margin that is wanted
    short_chance: share (0 to 1) of the trials with a smaller margin than that
    breach_mean_mm, breach_p95_mm: mean and 95 % quantile of the breach; 0 in a trial without one
    most_breach_mm: the breach that is borne
    deep_chance: share (0 to 1) of the trials with a larger breach than that
    trials: how many there were
    place_sd_mm: standard deviation of the place, from all errors together, in any direction
    angle_sd_deg: standard deviation of the direction, about each of two axes
    from_lps, along: a point on the plane of a cut and its normal; or entry of a trajectory and its direction
    length_mm: of a trajectory; 0 for a cut
    half_mm: half the thickness of a kerf; or radius of a trajectory
    reach_mm: how far round its point the plane of a cut is of interest
    at_lps: place of the smallest margin as planned, LPS mm
    margins_mm: (n,) float32, the margin of each trial
    """

    margin_mm: float
    margin_mean_mm: float
    margin_p5_mm: float
    margin_p95_mm: float
    least_margin_mm: float
    short_chance: float
    breach_mean_mm: float
    breach_p95_mm: float
    most_breach_mm: float
    deep_chance: float
    trials: int
    place_sd_mm: float
    angle_sd_deg: float
    from_lps: Vec3
    along: Vec3
    length_mm: float
    half_mm: float
    reach_mm: float
    at_lps: Vec3
    margins_mm: FloatsArray

    def __post_init__(self) -> None:
        margins = frozen(self.margins_mm, np.float32)
        if margins.shape != (self.trials,):
            raise ValueError("a tolerance needs one margin for each trial")
        object.__setattr__(self, "margins_mm", margins)
        for name in ("from_lps", "along", "at_lps"):
            object.__setattr__(self, name, vec3(getattr(self, name)))
