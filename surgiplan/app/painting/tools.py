"""The tools that voxels are painted with, by name, in the order of the tool bar."""

from .brushes import Ball, Brush, DropIsland, KeepIsland
from .outlining import Lasso, Livewire, Scissors
from .tool import Tool

TOOLS: dict[str, type[Tool]] = {
    "brush": Brush,
    "ball": Ball,
    "lasso": Lasso,
    "livewire": Livewire,
    "scissors": Scissors,
    "keep_island": KeepIsland,
    "drop_island": DropIsland,
}
