"""Tests; they mirror the modules of app."""
