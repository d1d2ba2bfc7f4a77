"""Pictures need OpenGL; where there is none these tests skip and say so."""

import pytest

from surgiplan.stage.offscreen import NoGraphics, require_graphics


@pytest.fixture(scope="session")
def graphics() -> None:
    """Skip where nothing can be drawn."""
    try:
        require_graphics()
    except NoGraphics as problem:
        pytest.skip(str(problem))
