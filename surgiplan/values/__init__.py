"""What things are: frozen values in patient space, LPS millimetres."""

from .arrays import BoolArray, FloatArray, FloatsArray, IntArray, Vec3, given_away, vec3
from .bits import Bits
from .codec import Value, decode, digest, encode
from .deviation import Change, Deviation
from .figures import figures, fingerprint
from .findings import (
    Agreement,
    Collision,
    EdgeMap,
    Finding,
    GapMap,
    Measurement,
    Profile,
    RangeOfMotion,
    WallMap,
)
from .frames import IDENTITY, Plane, Pose
from .grid import Grid
from .label import NO_LABEL, Label
from .landmarks import Landmarks, Places, Side
from .mesh import AT_ONCE, Mesh, Part
from .region import Region, Spatial
from .tolerance import Tolerance
from .volume import Mask, Volume

__all__ = [
    "AT_ONCE",
    "IDENTITY",
    "NO_LABEL",
    "Agreement",
    "Bits",
    "BoolArray",
    "Change",
    "Collision",
    "Deviation",
    "EdgeMap",
    "Finding",
    "FloatArray",
    "FloatsArray",
    "GapMap",
    "Grid",
    "IntArray",
    "Label",
    "Landmarks",
    "Mask",
    "Measurement",
    "Mesh",
    "Part",
    "Places",
    "Plane",
    "Pose",
    "Profile",
    "RangeOfMotion",
    "Region",
    "Side",
    "Spatial",
    "Tolerance",
    "Value",
    "Vec3",
    "Volume",
    "WallMap",
    "decode",
    "digest",
    "encode",
    "figures",
    "fingerprint",
    "given_away",
    "vec3",
]
