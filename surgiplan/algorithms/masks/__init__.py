"""Work on chosen voxels: how they hang together, grow, shrink, fill and combine."""
