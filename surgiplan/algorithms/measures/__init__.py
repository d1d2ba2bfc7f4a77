"""Numbers that know their own definition, and the landmarks they are taken from."""
