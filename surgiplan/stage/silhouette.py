"""The line round a chosen shape."""

import numpy as np
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkFiltersHybrid import vtkPolyDataSilhouette
from vtkmodules.vtkRenderingCore import vtkActor, vtkCamera, vtkPolyDataMapper

from ..values import FloatArray
from .colours import ACCENT, rgb
from .shapes import Shape


class Silhouette:
    """The line where a shape turns away from the eye.

    shape: the shape; the line is found in its own coordinates
    scale: pixels of the screen per pixel of the design
    """

    def __init__(self, shape: Shape, scale: float) -> None:
        self._filter = vtkPolyDataSilhouette()
        self._filter.SetInputData(shape.plain)
        self._filter.SetDirectionToSpecifiedVector()
        self._filter.SetCamera(vtkCamera())
        self._filter.SetEnableFeatureAngle(0)
        self._filter.BorderEdgesOff()
        mapper = vtkPolyDataMapper()
        mapper.SetInputConnection(self._filter.GetOutputPort())
        mapper.SetResolveCoincidentTopologyToPolygonOffset()
        mapper.SetRelativeCoincidentTopologyLineOffsetParameters(0.0, -8.0)
        self.actor = vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.SetUserMatrix(vtkMatrix4x4())
        self.actor.PickableOff()
        look = self.actor.GetProperty()
        look.LightingOff()
        look.SetColor(*rgb(ACCENT))
        look.SetLineWidth(2.6 * scale)

    def face(self, towards_eye: FloatArray) -> None:
        """Find the line anew for an eye in this direction (3,), LPS."""
        if self.actor.GetVisibility():
            matrix = self.actor.GetUserMatrix()
            rotation = np.array([[matrix.GetElement(r, c) for c in range(3)] for r in range(3)])
            vector = np.round(towards_eye @ rotation, 6)
            if not np.array_equal(vector, self._filter.GetVector()):
                self._filter.SetVector(*vector)
