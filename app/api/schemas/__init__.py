"""Request and response shapes, and how answers become bytes."""
