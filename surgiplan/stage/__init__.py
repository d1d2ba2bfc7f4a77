"""The only room with VTK rendering."""
