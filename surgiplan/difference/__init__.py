"""What distinguishes two plans, in the words of those who plan: steps, parameters and their consequences."""

from .change import Change
from .plans import Difference, Known, StepDifference, between

__all__ = ["Change", "Difference", "Known", "StepDifference", "between"]
