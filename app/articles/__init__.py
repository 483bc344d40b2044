"""Articles with their versions: read, saved, removed, told apart."""
