"""Recipes and procedures: plans that are made for no patient yet, and how they are put on a case."""
