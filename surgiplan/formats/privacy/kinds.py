"""Which kinds of DICOM objects can be de-identified, and which pictures may show a name."""

from pydicom import uid
from pydicom.dataset import Dataset

from ..dicom.headers import Header
from ..dicom.pixels import known_name

_SCANS = {
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.LegacyConvertedEnhancedCTImageStorage,
    uid.MRImageStorage,
    uid.EnhancedMRImageStorage,
    uid.LegacyConvertedEnhancedMRImageStorage,
    uid.PositronEmissionTomographyImageStorage,
    uid.EnhancedPETImageStorage,
    uid.XRay3DAngiographicImageStorage,
    uid.XRay3DCraniofacialImageStorage,
    uid.SegmentationStorage,
    uid.RTStructureSetStorage,
    uid.RTDoseStorage,
}
_PICTURES = {  # text is often drawn into these
    uid.SecondaryCaptureImageStorage,
    uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
    uid.UltrasoundImageStorage,
    uid.UltrasoundMultiFrameImageStorage,
    uid.ComputedRadiographyImageStorage,
    uid.DigitalXRayImageStorageForPresentation,
    uid.XRayAngiographicImageStorage,
    uid.XRayRadiofluoroscopicImageStorage,
}
_CAPTURES = {"SCREEN SAVE", "SCREENSAVE", "DOSE", "DOSE_INFO", "PROTOCOL", "REPORT", "SUMMARY", "CAPTURE"}
_COMPRESSED_KNOWN = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")


def unknown(header: Header) -> str:
    """Why this kind of object is left out; "" when its every element can be judged."""
    if header.sop_class not in _SCANS | _PICTURES:
        return f"its kind ({known_name(header.sop_class)}) carries text that cannot be judged"
    syntax = uid.UID(header.transfer_syntax)
    if syntax.is_private or syntax.name == header.transfer_syntax or not syntax.is_transfer_syntax:
        return "its transfer syntax is not known"
    if syntax.is_encapsulated and not header.transfer_syntax.startswith(_COMPRESSED_KNOWN):
        return f"its compression ({known_name(header.transfer_syntax)}) is not known"
    if header.transfer_syntax.startswith("1.2.840.10008.1.2.4.10") and header.transfer_syntax[22:] < "9":
        return "it is a video"
    return ""


def may_show_text(header: Header, dataset: Dataset) -> str:
    """Why a picture may show burned-in text; "" when nothing says so, which is no proof that it does not."""
    if header.burned_in:
        return "it says itself that it has burned-in annotation"
    if header.sop_class in _PICTURES:
        return f"its kind ({known_name(header.sop_class)}) often shows burned-in text"
    if header.rows and (header.samples != 1 or not header.photometric.startswith("MONOCHROME")):
        return "it is a picture in colours, which often shows burned-in text"
    if _CAPTURES & set(header.image_type) or "ConversionType" in dataset:
        return "it is a capture of a screen or of film, which often shows burned-in text"
    if any(tag & 0xFF00FFFF == 0x60000102 and dataset[tag].value for tag in sorted(dataset.keys())):
        return "a drawing lies in the unused bits of its pixels"
    return ""
