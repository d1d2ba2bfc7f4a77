"""What scans, masks and parts have in common."""

from abc import ABC

from .mesh import Part
from .volume import Mask, Volume


class Region(ABC):  # noqa: B024  # it has no method: it only says which values it takes in
    """A region of patient space, whether chosen voxel by voxel or enclosed by a surface."""


Region.register(Mask)
Region.register(Part)


class Spatial(ABC):  # noqa: B024  # as above
    """Whatever fills a piece of patient space: a scan, a mask or a part."""


Spatial.register(Volume)
Spatial.register(Region)
