"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from surgiplan.values import Part, Volume

# A run says the same twice, leaves nothing behind, and does not mind a busy machine.
settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The developers' real data beside the checkout; skips where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the developers' data (../shared/data) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def femur():  # type: ignore[no-untyped-def]  # tests that need no phantom do not load one
    """P19: a femur whose every measure is known."""
    from surgiplan.phantoms import Femur

    return Femur()


@pytest.fixture(scope="session")
def femur_volume(femur) -> Volume:  # type: ignore[no-untyped-def]
    """Its scan in voxels of 0.7 x 0.7 x 1.0 mm, without noise (takes some seconds to make)."""
    return femur.volume((1.0, 0.7, 0.7))


@pytest.fixture(scope="session")
def femur_bone(femur, femur_volume: Volume) -> Part:  # type: ignore[no-untyped-def]
    """Its surface as the operations find it in that scan, the canal filled."""
    from tests.walks import bone_of

    return bone_of(femur_volume, femur.level_hu)


@pytest.fixture(scope="session")
def graphics() -> None:
    """Skip where nothing can be drawn."""
    from surgiplan.stage.offscreen import NoGraphics, require_graphics

    try:
        require_graphics()
    except NoGraphics as problem:
        pytest.skip(str(problem))
