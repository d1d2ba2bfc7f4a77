"""Tools to paint a mask with."""
