"""The only room with Qt: the window and its parts."""
