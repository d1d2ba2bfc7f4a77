"""What a saw and a drill do to a bone: bodies of tools, and the closed pieces that are left."""
