"""How shapes are made: plain functions of values."""
