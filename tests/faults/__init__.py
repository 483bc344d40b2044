"""Faults that are really made, and what is promised under each of them."""
