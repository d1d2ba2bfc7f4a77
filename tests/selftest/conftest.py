"""The command line, to call the verb with."""

from tests.cli.conftest import run

__all__ = ["run"]
