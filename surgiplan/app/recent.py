"""The cases that were open lately, and other small things kept between two starts."""

from pathlib import Path

from PySide6.QtCore import QSettings

_KEPT = 10


class Recent:
    """The latest case files, newest first.

    settings: where they are kept; the user's own when None
    """

    def __init__(self, settings: QSettings | None = None) -> None:
        self.settings = settings if settings is not None else QSettings("surgiplan", "surgiplan")

    @property
    def paths(self) -> list[Path]:
        """The files that are still there."""
        kept = self.settings.value("recent/cases", [])
        texts = kept if isinstance(kept, list) else [kept] if isinstance(kept, str) else []
        return [Path(text) for text in texts if Path(text).is_file()]

    def add(self, path: Path) -> None:
        """Put a file first."""
        latest = [path.resolve(), *(p for p in self.paths if p != path.resolve())]
        self.settings.setValue("recent/cases", [str(p) for p in latest[:_KEPT]])

    def remove(self, path: Path) -> None:
        """Take a file from the list; the file itself is left alone."""
        self.settings.setValue("recent/cases", [str(p) for p in self.paths if p != path.resolve()])

    @property
    def folder(self) -> Path:
        """The folder last used in a file dialog."""
        kept = Path(str(self.settings.value("recent/folder", "")))
        return kept if kept.is_dir() else Path.home()

    @folder.setter
    def folder(self, path: Path) -> None:
        self.settings.setValue("recent/folder", str(path))
