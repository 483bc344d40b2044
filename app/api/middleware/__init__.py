"""ASGI middleware around every route: limits, proxy, security headers, request log, shutdown."""
