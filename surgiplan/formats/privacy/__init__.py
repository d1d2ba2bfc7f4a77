"""DICOM files without an identity: what is taken out, what stays, and under which new names."""
