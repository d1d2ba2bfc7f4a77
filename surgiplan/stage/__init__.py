"""The only room with VTK rendering."""

from vtkmodules import vtkRenderingFreeType, vtkRenderingOpenGL2  # what draws words and triangles

__all__ = ["vtkRenderingFreeType", "vtkRenderingOpenGL2"]
