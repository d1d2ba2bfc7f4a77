"""One file per operation; listed here by hand, in the order of the menu."""

from collections.abc import Mapping
from typing import Any

from ..plan.operation import Operation
from .align_leg import AlignLeg
from .boolean import Boolean
from .collide import Collide
from .compare import Compare
from .correct_deformity import CorrectDeformity
from .craniotomy import Craniotomy
from .crop import Crop
from .cut import Cut
from .cut_path import CutPath
from .deface import Deface
from .denoise import Denoise
from .derotate import Derotate
from .deviation_map import DeviationMap
from .drill import Drill
from .even_bias import EvenBias
from .fill import Fill
from .find_metal import FindMetal
from .fit import Fit
from .follow import Follow
from .grow import Grow
from .grow_seeds import GrowFromSeeds
from .hollow import Hollow
from .keep_part import KeepPart
from .landmarks import NameLandmarks
from .level_set import LevelSet
from .local_threshold import LocalThreshold
from .logic import Logic
from .margin import Margin
from .measure import Measure
from .mirror import Mirror
from .mirror_mask import MirrorMask
from .move import Move
from .move_guided import MoveGuided
from .paint import Paint
from .place_implant import PlaceImplant
from .plan_flap import PlanFlap
from .plan_screw import PlanScrew
from .range_of_motion import FindRangeOfMotion
from .reach import Reach
from .register import Register
from .register_scan import RegisterScan
from .remesh import Remesh
from .repair import Repair
from .resample import Resample
from .resect import Resect
from .smooth import Smooth
from .smooth_mask import SmoothMask
from .smooth_masks import SmoothMasks
from .socket import Socket
from .source import Source
from .split import Split
from .step_off import StepOff
from .surface import Surface
from .template_hip import TemplateHip
from .threshold import Threshold
from .tolerance import ToleranceBudget
from .walls import Walls
from .wedge import Wedge

_LISTED: tuple[type[Operation[Any]], ...] = (
    Source,
    Crop,
    Resample,
    Denoise,
    EvenBias,
    RegisterScan,
    Threshold,
    LocalThreshold,
    Grow,
    KeepPart,
    Split,
    GrowFromSeeds,
    LevelSet,
    FindMetal,
    SmoothMask,
    SmoothMasks,
    Fill,
    Margin,
    Hollow,
    Logic,
    MirrorMask,
    Paint,
    Deface,
    Surface,
    Smooth,
    Remesh,
    Repair,
    Cut,
    Resect,
    CutPath,
    Craniotomy,
    Wedge,
    Drill,
    Move,
    MoveGuided,
    Follow,
    Mirror,
    Register,
    PlaceImplant,
    AlignLeg,
    Derotate,
    CorrectDeformity,
    PlanFlap,
    TemplateHip,
    PlanScrew,
    Boolean,
    Collide,
    Reach,
    FindRangeOfMotion,
    NameLandmarks,
    Measure,
    Socket,
    Fit,
    StepOff,
    Compare,
    Walls,
    DeviationMap,
    ToleranceBudget,
)

OPERATIONS: Mapping[str, type[Operation[Any]]] = {cls.spec.name: cls for cls in _LISTED}
