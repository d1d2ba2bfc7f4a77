"""The views: slices, space, and what the hand does in them."""
