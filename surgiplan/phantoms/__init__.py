"""Shapes of known truth, made by code: arrays, meshes and DICOM series with their closed forms."""
