"""The colours of the pictures."""

from vtkmodules.vtkCommonCore import vtkLookupTable

from ..scene.items import Scalars

RGB = tuple[float, float, float]
TEXT, QUIET, GROUND, ACCENT = "#E8EAED", "#9AA0A6", "#14171B", "#4DA3FF"
FAINT = "#C3C9D0"
TOP, BOTTOM = "#2E343C", "#15181C"
SEVERITIES = {"info": "#56B4E9", "warning": "#F2B705", "danger": "#FF5C5C"}
SLICES = {"axial": "#FF6B5E", "coronal": "#2FBF9B", "sagittal": "#F2D24B"}
UNKNOWN = "#6B6460"  # of a number that is not there
SPACE = "#8FA3B8"  # the header of the 3D view
# from digging in (orange) over nothing (near white) to standing off (blue): told apart by everyone
_BOTH = ("#B35806", "#F1A340", "#FEE0B6", "#F7F7F7", "#D1E5F0", "#67A9CF", "#2166AC")
# viridis from light to dark (Smith and van der Walt 2015), as far as it stands out from the dark ground
_UP = ("#FDE725", "#7AD151", "#22A884", "#2A788E", "#414487")


def rgb(colour: str) -> RGB:
    """The colour "#rrggbb" as three numbers from 0 to 1."""
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return red, green, blue


def mixed(colour: str, other: str, share: float) -> RGB:
    """A colour with a share (0 to 1) of another one."""
    red, green, blue = ((1 - share) * a + share * b for a, b in zip(rgb(colour), rgb(other), strict=True))
    return red, green, blue


def table_of(scalars: Scalars) -> vtkLookupTable:
    """The colours of a range of numbers; a range on both sides of 0 has its light middle at 0."""
    stops = [rgb(colour) for colour in (_BOTH if scalars.low < 0 < scalars.high else _UP)]
    table = vtkLookupTable()
    table.SetNumberOfTableValues(256)
    table.SetTableRange(scalars.low, scalars.high)
    table.SetNanColor(*rgb(UNKNOWN), 1.0)
    for n in range(256):
        at = n / 255 * (len(stops) - 1)
        first = min(int(at), len(stops) - 2)
        share = at - first
        pair = zip(stops[first], stops[first + 1], strict=True)
        table.SetTableValue(n, (*((1 - share) * a + share * b for a, b in pair), 1.0))
    return table
