"""Bodies brought onto one another: by landmarks, by their surfaces, by their symmetry."""
