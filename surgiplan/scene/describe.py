"""From a plan, its results and a way of looking to what is seen."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..plan.plan import Plan
from ..values import FloatArray, Grid, Mask, Volume, vec3
from .boxes import around, box_of
from .findings import findings
from .items import Captions, PlaneMark, PointMark, Scene, Surface
from .marks import found_marks, handles
from .outlines import Outline, outline, quad_trace
from .shapes import chosen_mask, labelled_masks, shown_volume, surfaces
from .sketches import sketches
from .slices import Slice, cut_through, dots_near, patient_grid
from .view import AXES, Axis, Results, View

__all__ = ["describe", "findings"]


def describe(plan: Plan, results: Results, view: View) -> Scene:
    """What is seen of a plan: its shapes, the handles of the chosen step, its findings and three slices.

    Pure: equal arguments give an equal scene. Which shapes are seen is told at `shapes.surfaces`, which
    marks at `marks.handles`.

    results: what is known of each step, by name (as `Session.results` gives it)
    """
    shapes = (*surfaces(plan, results, view), *sketches(plan, results, view))
    marks = (*handles(plan, results, view), *found_marks(plan, results, view))
    volume, mask = shown_volume(plan, results, view), chosen_mask(plan, results, view)
    box = around(box_of(s.mesh, s.pose) for s in shapes)
    if not len(box) and (image := volume or mask) is not None:
        box = around([image.grid.corners_lps])
    others = labelled_masks(plan, results, view)
    slices = _slices(_canvas(volume, mask, box), mask, others, shapes, marks, view)
    if mask is not None and (colour := plan[view.chosen or ""].label.colour):
        slices = {axis: replace(one, overlay_colour=colour) for axis, one in slices.items()}
    low, high = box if len(box) else np.zeros((2, 3))
    return Scene(
        items=(*shapes, *marks),
        slices=MappingProxyType(slices),
        captions=Captions(view.side, view.patient, view.convention),
        low_lps=vec3(low),
        high_lps=vec3(high),
        window=view.window,
        level=view.level,
    )


_Canvas = tuple[Grid, NDArray[Any] | None]


def _canvas(volume: Volume | None, mask: Mask | None, box: FloatArray) -> _Canvas | None:
    """What the slices are cut through: the scan, else the grid of the mask, else the space of the shapes."""
    if volume is not None:
        return volume.grid, volume.voxels
    if mask is not None:
        return mask.grid, None
    return (patient_grid(*box), None) if len(box) else None


def _slices(
    canvas: _Canvas | None,
    mask: Mask | None,
    others: tuple[tuple[str, str, Mask], ...],
    shapes: tuple[Surface, ...],
    marks: tuple[Any, ...],
    view: View,
) -> Mapping[Axis, Slice]:
    if canvas is None:
        return {}
    points = [(m.name, m.at_lps, m.text, m.severity) for m in marks if isinstance(m, PointMark)]
    planes = [mark for mark in marks if isinstance(mark, PlaneMark)]
    slices: dict[Axis, Slice] = {}
    for axis in AXES:
        bare = cut_through(*canvas, axis, view, mask, others)
        crossed = [
            Outline(s.name, s.colour, outline(s.mesh, s.pose, bare.frame), s.dimmed) for s in shapes
        ] + [Outline(p.name, p.colour, quad_trace(p.corners_lps, bare.frame)) for p in planes]
        slices[axis] = replace(
            bare,
            outlines=tuple(one for one in crossed if len(one.segments)),
            dots=dots_near(bare.frame, bare.thickness_mm, points),
        )
    return slices
