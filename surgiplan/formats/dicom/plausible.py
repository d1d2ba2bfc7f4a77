"""Whether what a scan states fits what it shows: Hounsfield units and side. Doubts are only told."""

import numpy as np

from ...values import FloatArray, Volume

CONE_BEAM_CLASSES = {"1.2.840.10008.5.1.4.1.1.13.1.1", "1.2.840.10008.5.1.4.1.1.13.1.2"}
CONE_BEAM_WORDS = (
    "CBCT", "CONE BEAM", "CONEBEAM", "NEWTOM", "I-CAT", "ICAT", "PROMAX", "VISO", "ACCUITOMO", "VERAVIEW",
    "ORTHOPHOS", "GALILEOS", "SCANORA", "CRANEX", "ORTHOPANTOMOGRAPH", "PAX-I", "GREEN CT", "ALPHARD", "CS 9",
    "O-ARM", "OP300", "OP 3D", "AXEOS", "RAYSCAN", "T1-CT",
)  # fmt: skip
AIR_HU = (-1100, -900)
AIR_SHARE = 1e-3
LOWEST_HU, HIGHEST_HU = -1100, 4000
OUTSIDE_SHARE = 0.01
LOOKED_AT = 1 << 21
OFF_SIDE_MM = 20.0


def hounsfield_doubts(volume: Volume, sop_class: str = "", model: str = "") -> tuple[str, ...]:
    """Why the grey values of a scan should not be read as Hounsfield units; nothing when they may.

    volume: the scan; judged by its values when they are stated to be HU
    sop_class: UID of the kind of object it was read from
    model: manufacturer and model of the scanner
    A CT shows air near -1000 HU somewhere, nearly nothing below it, and little above 4000.
    """
    why = ""
    if sop_class in CONE_BEAM_CLASSES or any(word in model.upper() for word in CONE_BEAM_WORDS):
        why = "it is a cone-beam scan, which is not calibrated to them"
    elif volume.unit == "HU":
        why = _unlike_ct(volume)
    return (f"values are not reliable Hounsfield units ({why}): choose thresholds by eye",) if why else ()


def _unlike_ct(volume: Volume) -> str:
    values = volume.voxels.ravel()[:: max(volume.voxels.size // LOOKED_AT, 1)]
    below = float(np.mean((values < LOWEST_HU) & (values != values.min())))  # one value alone fills corners
    if below > OUTSIDE_SHARE:
        return f"{below:.0%} of them lie below {LOWEST_HU} HU, darker than air"
    above = float(np.mean(values > HIGHEST_HU))
    if above > OUTSIDE_SHARE:
        return f"{above:.0%} of them lie above {HIGHEST_HU} HU, brighter than any bone"
    if float(np.mean((values >= AIR_HU[0]) & (values <= AIR_HU[1]))) < AIR_SHARE:
        darkest = float(np.percentile(values, 100 * AIR_SHARE))
        return f"no air near -1000 HU is in it, the darkest of it is {darkest:.0f}"
    return ""


def side_doubts(laterality: str, points_lps: FloatArray) -> tuple[str, ...]:
    """Whether a scan that states a side lies wholly on the other side of the patient.

    laterality: "R" or "L" as the files state it; anything else says nothing
    points_lps: (n, 3) corners of what was scanned, mm; the patient's midline is taken to lie near x = 0,
        as it does when the patient lies in the middle of the table
    """
    towards_left = {"L": 1.0, "R": -1.0}.get(laterality.strip().upper())
    if towards_left is None:
        return ()
    nearest = float((points_lps[:, 0] * towards_left).max())
    if nearest > -OFF_SIDE_MM:
        return ()
    stated, found = ("left", "right") if towards_left > 0 else ("right", "left")
    return (
        f"the files state the {stated} side, but all of it lies {-nearest:.0f} mm or more to the patient's"
        f" {found} of the middle: make sure of the side",
    )
