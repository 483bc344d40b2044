"""Clients that are generated from the OpenAPI document, compiled strictly and used on a server."""
