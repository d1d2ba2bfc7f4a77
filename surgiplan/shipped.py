"""Where the files lie that come with the program: implants, recipes, descriptions of segmenters."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def resource_folder(name: str) -> Traversable:
    """A folder of the program's resources, installed with it or beside it in a checkout.

    name: such as "implants"
    """
    try:
        return resources.files("surgiplan.resources").joinpath(name)
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[1] / "resources" / name
