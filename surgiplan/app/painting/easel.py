"""Where voxels are painted: the tool in the hand, its settings, and the stroke that is going on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QColor, QImage, QPainter

from ...algorithms.strokes import Layer, between, of_grey, outside_of
from ...errors import Cancelled, SurgiplanError
from ...plan.plan import Key, Plan, Step
from ...progress import Report
from ...scene import Slice
from ...scene.covers import bits_on
from ...scene.shapes import shown_volume
from ...session import Ready
from ...values import Bits, Grid, Mask, Vec3, Volume, vec3
from ..desk import Desk
from ..inputs import seen_value
from ..jobs import Jobs
from ..panels.segments import other_segments
from ..views.eye import Eye
from ..views.sheet import covered, image_of, sheet_to_pixels

ADDED, REMOVED = QColor(76, 195, 138, 150), QColor(255, 122, 133, 150)
ADDED_FIELD, REMOVED_FIELD = "added", "removed"
_LEAST_MM, _MOST_MM = 0.2, 50.0
T = TypeVar("T", Mask, Volume)


class Sight(Protocol):
    """A view the hand can work in."""

    @property
    def slice(self) -> Slice | None:
        """The slice it shows; None for a view in space."""

    def eye(self) -> Eye | None:
        """How it sees patient space."""

    def point_at(self, x: float, y: float) -> Vec3 | None:
        """The patient point under a pixel."""

    def repaint_hand(self) -> None:
        """Paint again what the hand shows in this view."""


@dataclass(frozen=True)
class Settings:
    """How is painted.

    tool: a name of tools.TOOLS
    radius_mm: of the brush
    cut: what scissors do: "remove" or "keep" what lies inside the outline, or "fill" it
    greys: only voxels between these grey values are changed; None for all
    spare: voxels of other segments are left alone
    """

    tool: str = "brush"
    radius_mm: float = 3.0
    cut: str = "remove"
    greys: tuple[float, float] | None = None
    spare: bool = False


class Easel(QObject):
    """Holds a step that can be painted on; each stroke becomes one change of the plan.

    desk: the open case
    jobs: does what takes long beside the window

    altered: the settings are others
    told: a sentence for the status bar
    painted: a plan with one more stroke, and what was done in words
    """

    altered = Signal()
    told = Signal(str)
    painted = Signal(object, str)

    def __init__(self, desk: Desk, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._jobs = desk, jobs
        self.settings = Settings()
        self.step, self.field = "", ""
        self.axis = 0  # across the slices that were painted last
        self.turned = False  # paints where it would erase, and the other way round
        self.stroke = Bits()
        self._settling: tuple[Key, Bits, QColor] | None = None
        desk.changed.connect(self._settle)

    # --- what is painted on

    def take(self, step: Step, field: str) -> None:
        """Paint on the mask of a step, into one of its fields."""
        self.step, self.field, self.stroke, self._settling = step.name, field, Bits(), None

    def alter(self, **settings: object) -> None:
        """Change some settings."""
        self.settings = replace(self.settings, **settings)  # type: ignore[arg-type]
        self.altered.emit()

    def resize(self, notches: float) -> None:
        """Make the brush larger or smaller, by a tenth each notch."""
        radius = round(self.settings.radius_mm * 1.1**notches + (0.05 if notches > 0 else -0.05), 1)
        self.alter(radius_mm=min(max(radius, _LEAST_MM), _MOST_MM))

    @property
    def mask(self) -> Mask | None:
        """The mask that is painted on, with what is painted so far when that is known."""
        if self.step not in self._desk.plan.names:
            return None
        found = getattr(self._desk.results.get(self.step), "value", None)
        return found if isinstance(found, Mask) else self._below(Mask)

    def _below(self, kind: type[T]) -> T | None:
        """The first value of a kind that the step rests on, where it is known."""
        names = self._desk.plan.names
        references = self._desk.plan[self.step].references if self.step in names else {}
        values = (seen_value(self._desk.results, ref) for refs in references.values() for ref in refs)
        return next((value for value in values if isinstance(value, kind)), None)

    @property
    def grid(self) -> Grid | None:
        """The voxels that can be painted: those of the mask, else of the scan that a step begins on."""
        ground = self.mask or self._below(Volume)
        return ground.grid if ground is not None else None

    @property
    def volume(self) -> Volume | None:
        """The scan that is seen."""
        return shown_volume(self._desk.plan, self._desk.results, self._desk.view)

    def refuses(self) -> bool:
        """Whether nothing can be painted now; the person is told why."""
        return self._locked(self.step) or self.grid is None

    def _locked(self, step: str) -> bool:
        locked = step in self._desk.kept.names and self._desk.kept[step].label.locked
        if locked:
            self.told.emit(self.tr("{0} is locked: unlock it in the list of segments first.").format(step))
        return locked

    @property
    def erasing(self) -> bool:
        """Whether the next stroke takes voxels away."""
        return (self.field == REMOVED_FIELD) != self.turned

    # --- strokes

    def layer(self, where: Sight, at: Vec3) -> Layer | None:
        """The slice of voxels that a view shows at a point; None for a view in space."""
        eye, grid = where.eye(), self.grid
        if where.slice is None or eye is None or grid is None:
            return None
        found = Layer.through(grid, at, vec3(where.slice.frame.normal))
        self.axis = found.axis if found is not None else self.axis
        return found

    def limited(self, bits: Bits) -> Bits:
        """What of a stroke the settings let through."""
        volume, grid = self.volume, self.grid
        greys = self.settings.greys
        if greys is not None and volume is not None and grid is not None and volume.grid.same_as(grid):
            bits = of_grey(bits, volume, *greys)
        if self.settings.spare and not self.erasing:
            for mask in other_segments(self._desk, self.step):
                bits = outside_of(bits, mask) if grid is not None and mask.grid.same_as(grid) else bits
        return bits

    def keep(self, bits: Bits, erase: bool, what: str) -> None:
        """Make a stroke a change of the plan: what is painted on is no longer erased, and the reverse."""
        self._keep_in(self.step, bits, erase, what)

    def _keep_in(self, step: str, bits: Bits, erase: bool, what: str) -> None:
        self.stroke, self.turned = Bits(), False
        if step not in self._desk.kept.names or self._locked(step):
            return
        if not bits.blocks:
            self.told.emit(self.tr("No voxel was changed."))
            return
        plan = stroked(self._desk.kept, step, REMOVED_FIELD if erase else ADDED_FIELD, bits)
        if step == self.step:
            if self._settling is not None and self._settling[2] is _colour(erase):
                bits = bits | self._settling[1]
            self._settling = (plan.keys()[step], bits, _colour(erase))
        self.painted.emit(plan, f"{what} {step}")

    def work(self, words: str, make: Callable[[Report], Bits], erase: bool, what: str) -> None:
        """Find the voxels of a stroke beside the window, then keep it in the step that is held now."""
        step = self.step
        self._jobs.start(words, make, lambda bits: self._keep_in(step, bits, erase, what), self._on_failed)

    def _on_failed(self, problem: Exception) -> None:
        if not isinstance(problem, SurgiplanError):
            raise problem
        if not isinstance(problem, Cancelled):
            self.told.emit(str(problem))

    def fill_between(self) -> None:
        """Fill the slices between those that were painted in the view that was used last."""
        grid = self.grid
        if grid is None or self.refuses():
            return
        added, axis = getattr(self._desk.kept[self.step].operation, ADDED_FIELD) or Bits(), self.axis
        self.work(
            self.tr("Filling between slices"),
            lambda report: between(grid, added, axis, report),
            erase=False,
            what="fill between slices of",
        )

    def drop(self) -> None:
        """Forget the stroke."""
        self.stroke, self.turned = Bits(), False

    def _settle(self) -> None:
        """A stroke is shown by itself until the mask has it, or it was undone."""
        if self._settling is None:
            return
        names = self._desk.kept.names
        key = self._desk.kept.keys()[self.step] if self.step in names else ""
        if key != self._settling[0] or isinstance(self._desk.results.get(self.step), Ready):
            self._settling = None

    # --- how it looks

    def paint_voxels(self, painter: QPainter, where: Sight, width: float, height: float) -> None:
        """Paint the voxels of the stroke over a slice: exactly those that will be kept."""
        one, grid = where.slice, self.grid
        if one is None or grid is None:
            return
        strokes = [(self.stroke, _colour(self.erasing))]
        strokes += [self._settling[1:]] if self._settling is not None else []
        for bits, colour in strokes:
            if (seen := bits_on(one, grid, bits)) is not None:
                pixels = covered(seen.pixels, colour)
                picture = image_of(pixels, QImage.Format.Format_ARGB32_Premultiplied)
                painter.save()
                painter.setTransform(sheet_to_pixels(one, width, height))
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                painter.drawImage(QRectF(*seen.rect_mm), picture)
                painter.restore()


def _colour(erase: bool) -> QColor:
    return REMOVED if erase else ADDED


def stroked(plan: Plan, step: str, field: str, bits: Bits) -> Plan:
    """The plan with a stroke in one field of a step, and taken out of the other ones."""
    operation = plan[step].operation
    changes = {}
    for one in operation.spec.fields:
        held = getattr(operation, one.name)
        if one.kind is Bits and one.name == field:
            changes[one.name] = (held or Bits()) | bits
        elif one.kind is Bits and held is not None:
            changes[one.name] = held - bits
    return plan.edit(step, **changes)
