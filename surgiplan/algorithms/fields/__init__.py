"""Signed distances by the million: one field per shape, and what is asked of it while bodies move."""
