"""The reference pages, Swagger UI and ReDoc, from our own host alone.

Their policy lets a browser run and load what this host serves and nothing else: no script or
style stands in a page, and no request leaves the host. All addresses begin with the prefix
that the request came under.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

# ReDoc makes style elements by script: an empty one, which it fills later, and a constant one.
_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
)
POLICY = (
    f"default-src 'none'; script-src 'self'; style-src 'self' {_STYLES}; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the pages."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_KEPT = {"Cache-Control": "max-age=86400"}

# ReDoc shows its maker's logo, from its maker's host.
_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
_NO_LOGO = b"data:image/svg+xml,%3Csvg xmlns=%27http://www.w3.org/2000/svg%27/%3E"

_PAGE = """<!doctype html>
<html lang="en" data-openapi="{prefix}/openapi.json">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Broadsheet</title>
<link rel="icon" href="{prefix}/static/favicon.png">
{styles}
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript; the same is at {prefix}/openapi.json.</noscript>
{scripts}
</body>
</html>
"""


def install(app: FastAPI) -> None:
    """Add the pages, their files and the way from `/` to them."""
    theirs = files("fastapi_offline") / "static"
    ours = files("app.api") / "static"

    @app.get("/static/redoc.js", include_in_schema=False)
    def redoc_itself() -> Response:
        script = (theirs / "redoc.standalone.js").read_bytes().replace(_LOGO, _NO_LOGO)
        return Response(script, media_type="text/javascript", headers=_KEPT)

    app.mount("/static/broadsheet", StaticFiles(directory=str(ours)))
    app.mount("/static", StaticFiles(directory=str(theirs)))

    @app.get("/", include_in_schema=False)
    async def root(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/docs")

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return _page(
            request,
            styles=("swagger-ui.css", "broadsheet/page.css"),
            scripts=("swagger-ui-bundle.js", "broadsheet/swagger.js"),
        )

    @app.get("/redoc", include_in_schema=False)
    async def redoc(request: Request) -> Response:
        return _page(
            request, styles=("broadsheet/page.css",), scripts=("redoc.js", "broadsheet/redoc.js")
        )


def _page(request: Request, *, styles: tuple[str, ...], scripts: tuple[str, ...]) -> Response:
    """A page that loads `styles` and `scripts`; a prefix holds nothing that HTML would read."""
    prefix = request.scope.get("root_path", "")
    text = _PAGE.format(
        prefix=prefix,
        styles="\n".join(
            f'<link rel="stylesheet" href="{prefix}/static/{each}">' for each in styles
        ),
        scripts="\n".join(f'<script src="{prefix}/static/{each}"></script>' for each in scripts),
    )
    return HTMLResponse(text, headers=_HEADERS)
