"""The only writers of this room, one verb a module."""
