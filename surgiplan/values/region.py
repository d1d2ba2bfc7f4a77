"""What a mask and a part have in common."""

from abc import ABC

from .mesh import Part
from .volume import Mask


class Region(ABC):  # noqa: B024  # it has no method: it only says which values it takes in
    """A region of patient space, whether chosen voxel by voxel or enclosed by a surface."""


Region.register(Mask)
Region.register(Part)
