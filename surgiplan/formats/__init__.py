"""Files <-> values: the only place where RAS, voxel order and other units exist."""
