"""The engine on Whoosh, which is imported by this package alone."""
