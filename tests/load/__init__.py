"""A long run of what clients ask, and whether the server stays as it was."""
