"""Forms: the parameters of a step, each with its editor."""
