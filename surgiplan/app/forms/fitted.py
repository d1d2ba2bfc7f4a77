"""Which editor fits a parameter."""

from collections.abc import Mapping
from typing import Any

from ...plan.operation import Field
from ...plan.plan import Plan
from ...values import Bits, Places, Plane, Pose, Vec3
from ..inputs import fitting
from .editors import ChoiceEditor, Editor, ManyEditor, NumberEditor, TextEditor, TruthEditor
from .placed import BitsEditor, PlacesEditor, PlaneEditor, PointsEditor, PoseEditor, RowsEditor

_EDITORS: Mapping[Any, type[Editor]] = {
    bool: TruthEditor,
    int: NumberEditor,
    float: NumberEditor,
    Plane: PlaneEditor,
    Pose: PoseEditor,
    Vec3: RowsEditor,
    tuple[Vec3, ...]: PointsEditor,
    Bits: BitsEditor,
    Places: PlacesEditor,
}


def editor_for(field: Field, plan: Plan, step: str) -> Editor:
    """The editor that fits a parameter of a step."""
    if field.takes is not None:
        entries = fitting(plan, step, field)
        return ManyEditor(field, entries) if field.many else ChoiceEditor(field, entries)
    if field.choices:
        told = zip(field.told, field.choices, strict=True)
        return ChoiceEditor(field, [(title or word, word) for title, word in told])
    return _EDITORS.get(field.kind, TextEditor)(field)


def is_wide(editor: Editor) -> bool:
    """Whether an editor needs the whole width of the form, below its label."""
    return isinstance(editor, RowsEditor | PointsEditor | BitsEditor | PlacesEditor)
