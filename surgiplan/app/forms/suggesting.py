"""The button that looks for parameters to consider and offers what it found in a menu."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QPushButton

from ...errors import Cancelled, SurgiplanError
from ...plan.plan import Step
from ...plan.work import Work
from ...values import Plane
from ..desk import Desk
from ..inputs import inputs_of
from ..jobs import Jobs
from ..views.eye import place_words
from ..words import label_of


class SuggestButton(QPushButton):
    """Shows while the step on show can propose parameters from its inputs.

    desk: the open case
    jobs: looks for them beside the window

    taken: the parameters that the person has chosen, by name
    told: why there are none
    """

    taken = Signal(object)
    told = Signal(str)

    def __init__(self, desk: Desk, jobs: Jobs) -> None:
        super().__init__()
        self._desk, self._jobs = desk, jobs
        self._step: Step | None = None
        self.setText(self.tr("Suggest..."))
        self.setObjectName("form_suggest")
        self.clicked.connect(lambda _=False: self._look())

    def look_at(self, step: Step | None) -> None:
        """Propose for this step; None for one that cannot be changed."""
        self._step = step
        self.setVisible(step is not None and step.operation.spec.suggests)

    def _look(self) -> None:
        step = self._step
        if step is None:
            return
        values = inputs_of(self._desk.results, step)
        if values is None:
            self.told.emit(self.tr("The steps above must be computed first."))
            return
        self.setEnabled(False)
        blob, operation = self._desk.session.case.blob, step.operation
        self._jobs.start(
            self.tr("Looking for suggestions"),
            lambda report: operation.suggest(Work(blob, report), **values),
            lambda found: self._offer(step.name, found),
            self._on_none,
        )

    def _on_none(self, problem: Exception) -> None:
        self.setEnabled(True)
        if isinstance(problem, Cancelled):
            return
        if not isinstance(problem, SurgiplanError):
            raise problem
        self.told.emit(str(problem))

    def _offer(self, name: str, found: Mapping[str, Mapping[str, Any]]) -> None:
        self.setEnabled(True)
        if self._step is None or name != self._step.name:
            return
        menu = QMenu(self)
        menu.setObjectName("suggestions")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for method, parameters in found.items():
            told = ", ".join(f"{label_of(field)} {_short(value)}" for field, value in parameters.items())
            action = menu.addAction(f"{method}: {told}")
            action.setObjectName(f"suggest_{method}")
            action.triggered.connect(lambda _=False, given=parameters: self.taken.emit(given))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))


def _short(value: Any) -> str:
    if isinstance(value, Plane):
        return f"through {place_words(value.point)}"
    return f"{value:g}" if isinstance(value, float | int) else str(value)
