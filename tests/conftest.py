"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

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
