"""Corrections of bone solved in closed form: where to cut, how to move, and what that reaches."""
