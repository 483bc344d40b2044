"""Broadsheet: a self-hosted news archive with a REST API."""
