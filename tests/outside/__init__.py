"""Servers and commands as they are seen from outside, against an oracle of what they must do."""
