"""A command line to call, and small things to call it on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from surgiplan import cli
from surgiplan.formats.dicom.dicomwrite import write_series
from tests.ops.shapes import ball_scan


@dataclass
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Answer]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Call the command line in this process, with a cache of its own."""
    monkeypatch.setenv("SURGIPLAN_CACHE", str(tmp_path / "cache"))

    def call(*words: object) -> Answer:
        capsys.readouterr()
        try:
            code = cli.main([str(word) for word in words], lambda path, safe: 77)
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def ball_series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CT series of a ball of radius 12 mm."""
    folder = tmp_path_factory.mktemp("ball")
    write_series(ball_scan(), folder)
    return folder


@pytest.fixture
def case(run: Run, ball_series: Path, tmp_path: Path) -> Path:
    """A case with the scan, a mask and the surface of the ball."""
    file = tmp_path / "ball.surgiplan"
    assert run("import", ball_series, "--case", file, "--name", "ct", "--side", "L").code == 0
    assert run("add", file, "threshold", "mask", "--volume", "ct", "--low", "500").code == 0
    assert run("add", file, "surface", "ball", "--volume", "ct", "--mask", "mask").code == 0
    return file
