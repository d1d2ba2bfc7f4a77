"""Words that name nobody: what coded texts may say, and what stays of a description that is cleaned.

The defined terms of the image, segmentation and structure-set modules of DICOM PS3.3 that a planner meets,
and everyday words of radiology. A word that is not here does not stay, so a gap costs a word and never a
name.
"""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODED = _words(
    """
    ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER OTHER VOLUME REFORMATTED RESAMPLED MPR MIP
    MAX_IP MIN_IP AVERAGE NONE MIXED YES NO Y N M F O R L B U 00 01 MONOCHROME1 MONOCHROME2 RGB
    YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT CT MR PT NM CR DX DR MG XA RF US OT SEG SC REG RTSTRUCT
    RTDOSE RTPLAN RTIMAGE M3D HFS HFP FFS FFP HFDR HFDL FFDR FFDL LFP LFS RFP RFS AFDR AFDL PFDR
    PFDL HU BQML CNTS GML PROPCPS PCT COLOR FRACTIONAL BINARY LABELMAP PROBABILITY OCCUPANCY
    AUTOMATIC SEMIAUTOMATIC MANUAL CLOSED_PLANAR CLOSEDPLANAR_XOR OPEN_PLANAR OPEN_NONPLANAR POINT
    EXTERNAL PTV CTV GTV ORGAN AVOIDANCE BOLUS ISOCENTER CONTROL SUPPORT FIXATION TREATED_VOLUME
    IRRAD_VOLUME CAVITY BRACHY_CHANNEL MARKER REGISTRATION CONTRAST_AGENT DOSE_REGION PLANAR POLYGON
    SURFACE LINEAR SIGMOID LINEAR_EXACT IDENTITY INVERSE GY RELATIVE PHYSICAL EFFECTIVE PLAN BEAM
    MAGNITUDE PHASE REAL IMAGINARY COMPLEX DIFFUSION PERFUSION T1 T2 T2_STAR PROTON_DENSITY STIR
    FLAIR TAGGING UNKNOWN TEMPERATURE FLOW_ENCODED FLUID_ATTENUATED VELOCITY ADC DIFFUSION_ANISO
    DIRECTIONAL ISOTROPIC BMATRIX DIXON WATER FAT IN_PHASE OPP_PHASE WATER_FAT PRODUCT RESEARCH
    FREE_PRECESSION TRANSVERSE TIME_REVERSED SEQUENTIAL SPIN GRADIENT BOTH SE IR GR EP RM SK SP MTC
    SS TRSS OSP PG CG PPG FC PFF PFP FS NSEL SAT 1D 2D 3D CARTESIAN RADIAL SPIRAL RECTILINEAR
    REVERSE_LINEAR CENTRIC REVERSE_CENTRIC SEGMENTED SINGLE PARTIAL FULL TWO THREE PILS SENSE SMASH
    HALF_FOURIER ECHO ON_RESONANCE OFF_RESONANCE ROW COLUMN COL PHASE_AND_FREQ SLICE_AND_PHASE
    SLICE_SELECT BODY VOLUME_COIL MULTICOIL EXTREMITY HEAD QUADRATURE MULTI POSITIVE NEGATIVE
    IEC_NORMAL IEC_FIRST_LEVEL IEC_WHOLE_BODY IEC_HEAD IEC_LOCAL IEC_PARTIAL_BODY ACCELERATION
    FREQUENCY NORMAL FIRST_LEVEL SECOND_LEVEL DB_DT ELECTRIC_FIELD STATIC_FIELD SPECTRALLY CONSTANT
    CONSTANT_ANGLE STATIONARY HELICAL SPIRALSCAN FREE STEADY BODY_FRAME FIXED ADAPTIVE HARMONIC
    FILTER_BACK_PROJ ITERATIVE WEDGE BUTTERFLY FLAT SHAPED BOWTIE STRIP CW CC ROT TRANSLATION
    POST_CONTRAST PRE_CONTRAST IV ORAL RECTAL ARTERIAL PORTAL VENOUS DELAYED REST STRESS DURING POST
    PRE BONE SOFT_TISSUE LUNG STANDARD DETAIL BRAIN CARDIAC RETROSPECTIVE PROSPECTIVE REALTIME
    END_DIASTOLE END_SYSTOLE NAVIGATOR BREATH_HOLD BELT PACED RESPIRATION TRIGGER NOMINAL
    UNSPECIFIED POSITION TABLE ACQUISITION REFERENCE ISO_8859 IMAGE FRAME VOLUMETRIC SAMPLED
    DISTORTED VALUE NUMERIC TEXT CODE NORM DIS2D DIS3D FM FFE SE_MAP M_SE M_FFE M_IR ND MOSAIC MAP
    DENSITY CSA CT_SOM5 CT_SOM7 SPI HELIX STD GSP CONE_BEAM CBCT CYLINDRICAL_RING MULTIPLE_PLANAR
    ISO_2022 PATIENT EQUIPMENT HUMAN TILED_FULL TILED_SPARSE ABDOMEN ABDOMENPELVIS ANKLE ARM BREAST
    CALCANEUS CAROTID CHEST CLAVICLE COCCYX CSPINE ELBOW FACE FEMUR FINGER FOOT FOREARM HAND
    HEADNECK HEART HIP HUMERUS JAW KNEE LEG LSPINE LOWERLIMB MANDIBLE MAXILLA NECK NOSE ORBIT
    PANCREAS PATELLA PELVIS PELVISLOWEXTREMT RADIUS RADIUSULNA RIB SACRUM SCAPULA SELLA SHOULDER
    SKULL SPINE SSPINE STERNUM THIGH THORAX THUMB TIBIA TIBIAFIBULA TMJ TOE TSPINE TLSPINE LSSPINE
    ULNA UPPERLIMB WHOLEBODY WRIST ZYGOMA TEETH TOOTH DENTAL LIVER KIDNEY SPLEEN MONOCHROME
    TRUE_COLOR APPROVED UNAPPROVED REJECTED REL_MASS_DENSITY REL_ELEC_DENSITY EFFECTIVE_Z
    EFF_Z_PER_A REL_STOP_RATIO ELEM_FRACTION MEAN_EXCI_ENERGY MP OSS 1H 3HE 7LI 13C 19F 23NA 31P
    129XE 1H-COUPLED RIESZ HANNING HAMMING GAUSSIAN LORENTZIAN LONGITUDINAL STEADY_STATE
    COMPLEX_COMPONENT WHOLE_BODY PARTIAL_BODY HEAD_BODY LOCAL BODY_COIL PHASED_ARRAY DIPOLE COIL ECG
    PULSE VCG RESP RESP_TRIG CARD_TRIG PPU BH PER_EXAM NOT_USED ACQUIRED CALCULATED ESTIMATED
    METABOLITE_MAP WATER_REFERENCE NUMERICAL EPI MAGNETIZATION TRANSFER COMPENSATION FLOW INVERSION
    RECOVERY PROPELLER PARALLEL SPATIAL SPECTRAL SPECTROSCOPY STDDEV VARIANCE DIFFERENCE SUBTRACTION
    ADDITION MULTIPLICATION DIVISION MEAN MEDIAN MAXIMUM MINIMUM MASKED TOF PC MTT CBF CBV RCBV RCBF
    RELCBF TTP ANGIO ANGIO_TIME ASL MODULATED T1RHO T2_FLAIR PD DWI SWI FMRI TDI EXPONENTIAL
    MULTIECHO MULTI_ECHO DISTORTION CORRECTED UNCORRECTED NON_CARTESIAN OFF ON START END DYNAMIC
    STATIC GATED UNDEFINED INVALID VALID UNITS PERCENT RELATIVE_TIME TIME ANTERIOR POSTERIOR
    SUPERIOR INFERIOR LEFT RIGHT PAIRED UNPAIRED CONSTANT_RATE INTERLEAVED STEPPED CONTINUOUS
    STEP_SHOOT CINE SCOUT TARGET_COUNT ATTENUATION DECAY ADMIN EMISSION TRANSMISSION DECY ATTN SCAT
    DTIM MOTN PMOT CLN RAN RADL DCAL MEASURED NOT_MEASURED BY_ACQ_TIME TRANSCRIBED COMPUTED
    DOSE_SUMMATION FRACTION TOTAL CUMULATIVE DIFFERENTIAL NATURAL GY_KG CENTIMETERS CM3 IN_PLANE
    OUT_OF_PLANE MULTI_SLAB SLAB LINEAR_TILT FORW BACK REPLACE LAST SHARED AXIS RING TABLETOP GANTRY
    THORAX_ABDOMEN HEADNECKCHEST CHESTABDOMEN CHESTABDPELVIS NECKCHEST NECKCHESTABDOMEN LOWER_LEG
    UPPER_ARM EYE EAR IAC
    """
)
"""Values of code strings (VR CS) that stay; spaces in them are written as underscores here."""

WORDS = _words(
    """
    a and by for from in of on or the to with without w wo ct mr mri pet cbct cta mra scan image
    images series study volume segment segmentation structure structures set roi contour plan head
    neck face skull brain calvarium cranium cranial orbit orbits nose nasal sinus sinuses ear
    temporal petrous mastoid mandible mandibular maxilla maxillary dental tooth teeth jaw tmj zygoma
    zygomatic condyle spine cervical thoracic lumbar sacrum sacral coccyx vertebra vertebrae disc
    cord chest thorax lung lungs heart cardiac aorta rib ribs sternum clavicle scapula breast
    abdomen abdominal pelvis pelvic liver spleen kidney kidneys pancreas bladder bowel stomach
    prostate uterus shoulder arm humerus elbow forearm radius ulna wrist hand finger fingers thumb
    carpal metacarpal hip femur femoral acetabulum thigh knee patella tibia tibial fibula fibular
    leg calf ankle foot feet heel talus calcaneus tarsal metatarsal toe limb stump socket extremity
    upper lower body whole total bone bones bony soft tissue cortical cortex trabecular muscle fat
    skin nerve vessel artery vein tumour tumor lesion implant metal screw plate prosthesis graft
    defect fracture osteotomy left right lt rt both bilateral anterior posterior superior inferior
    medial lateral proximal distal dorsal ventral axial ax coronal cor sagittal sag oblique
    transverse tra localizer localiser scout topogram surview survey native contrast enhanced
    unenhanced iv oral arterial venous portal delayed late phase phases pre post early thin thick
    slice slices mm cm recon reconstruction reformat mpr mip minip kernel sharp smooth standard
    detail edge high resolution low dose helical spiral sequence window algorithm average spin echo
    gradient turbo fast flair stir diffusion adc dwi perfusion angio angiography weighted t1w t2w pd
    swi tof dixon water magnitude fse tse gre se ir space mprage vibe bravo fspgr fiesta haste epi
    t1 t2 2d 3d 4d original derived secondary primary reformatted corrected motion mar artifact
    artefact organ external target risk treatment planning phantom test siemens healthineers ge
    medical systems philips toshiba canon hitachi fujifilm samsung planmeca carestream vatech morita
    newtom sirona dentsply kavo brainlab materialise mimics varian elekta accuray uih united imaging
    neusoft shimadzu hologic surgiplan slicer dcmtk pydicom highdicom orthanc osirix horos dcmqi
    """
)
"""Words that stay in a description, in lower case."""


def is_coded(text: str) -> bool:
    """Whether a text is one of the defined terms that stay."""
    return text.replace(" ", "_") in CODED


_PARTS = re.compile(r"[A-Za-z0-9.]+")
_SIZE = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3})?(mm)?", re.IGNORECASE)
_KERNEL = re.compile(r"[A-Z][a-z]?[0-9]{1,2}[a-z]?")


def cleaned(text: str) -> str:
    """Keep of a description the words that are known to name nobody, and sizes of one or two digits.

    text: as it stands in the file
    Gives "" when nothing is left.
    """
    words = _PARTS.findall(text)
    kept = [word for word in words if word.lower() in WORDS or _SIZE.fullmatch(word)]
    return " ".join(kept) if any(word.lower() in WORDS for word in kept) else ""


def cleaned_kernel(text: str) -> str:
    """Keep the name of a reconstruction kernel, such as B30f, Hr40 or STANDARD; "" when it is none."""
    return text if _KERNEL.fullmatch(text) else cleaned(text)
