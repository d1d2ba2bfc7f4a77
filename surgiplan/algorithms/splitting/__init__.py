"""Part what touches: bones at their joints, bodies from seeds, a body by its edge."""
