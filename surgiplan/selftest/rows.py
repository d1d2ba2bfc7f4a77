"""The promises, as data: what is measured, what is promised, and what others have published."""

from . import bodies, doors, surfaces
from .row import Row

ROWS: tuple[Row, ...] = (
    Row(
        "1",
        "Slices lie where they were taken",
        "<= 0.001 mm along any axes; a series with a fault is refused or flagged",
        "a widely used reader: 12.7 mm off on a tilted gantry, without a word",
        doors.places,
    ),
    Row(
        "2",
        "Left stays left",
        "no mirror image on any way in and out",
        "mirrored and misplaced exports reported for several programs of the field",
        doors.sides,
    ),
    Row("3", "Grey values are what was stored", "<= 0.5 HU in all transfer syntaxes", "", doors.grey_values),
    Row(
        "4",
        "Surface, voxels 0.8 x 0.8 x 1.0 mm",
        "RMS <= 0.05 mm, largest <= 0.20 mm",
        "machined bone: 0.21 mm mean, 0.47 largest (Wang 2009); review: 0.38 mm (van Eijnatten 2018)",
        surfaces.usual,
    ),
    Row(
        "5",
        "Surface, voxels 0.8 x 0.8 x 2.5 mm",
        "RMS <= 0.15 mm, largest <= 0.45 mm",
        "0.83 mm at thick slices (Turek and Budzik 2021)",
        surfaces.thick,
    ),
    Row(
        "5a",
        "Surface, voxels 0.5 mm, no noise",
        "mean <= 0.02 mm, 95th percentile <= 0.05 mm",
        "contour of the binary mask: 0.08 mm mean",
        surfaces.fine,
    ),
    Row("6", "Volume", "<= 0.5 %", "designed objects, scanned: +1 to +27 %", surfaces.volumes),
    Row(
        "7",
        "Files hold closed solids",
        "closed, manifold, facing outwards, of the right shape: all",
        "libraries lose closedness, or give an empty result without a word",
        surfaces.solids,
    ),
    Row(
        "8",
        "Smoothing does not shrink",
        "volume <= 0.2 %, mean shift <= 0.05 mm",
        "",
        surfaces.smoothing,
    ),
    Row(
        "8a",
        "Noise of 30 HU",
        "better than mask and Taubin smoothing (ratio <= 1)",
        "Taubin's filter on the mask (1995)",
        surfaces.little_noise,
    ),
    Row(
        "8b",
        "Noise of 80 HU",
        "not worse than mask and Taubin smoothing (ratio <= 1)",
        "Taubin's filter on the mask (1995)",
        surfaces.much_noise,
    ),
    Row(
        "9",
        "Dice, HD, HD95, ASSD, NSD",
        "closed form within 0.001 and 0.02 mm",
        "eleven tools, one pair: more than 100 mm apart (Podobnik and Vrtovec 2024)",
        bodies.comparing,
    ),
    Row(
        "12",
        "A cut loses nothing",
        "volume <= 0.05 %, area <= 0.1 %; pieces add up within 1e-6 (points are float32)",
        "",
        bodies.cutting,
    ),
    Row(
        "13",
        "Joined and shared volumes add up",
        "relative error <= 1e-6, never an empty result without a word",
        "silently empty results reported for a common library",
        bodies.joining,
    ),
    Row(
        "22",
        "Screw and canal",
        "<= 0.02 mm",
        "grading by eye depends on view and observer",
        bodies.clearing,
    ),
    Row(
        "24",
        "Thickness of a wall",
        "<= 0.02 mm on a mesh, <= 0.10 mm (95th percentile) from a scan",
        "model fit on 16 femora: -0.01 +/- 0.58 mm (Treece 2010)",
        surfaces.thickness,
    ),
    Row(
        "36",
        "STL far from the origin",
        "<= 1e-4 mm",
        "half a step of float32 at 1204 mm: 6.1e-5 mm",
        surfaces.far_away,
    ),
)
