"""Highlights: the fragments of an article that show why a query found it."""
