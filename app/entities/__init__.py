"""Entities and their mentions: read, counted, merged, reconciled."""
