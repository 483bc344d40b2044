"""The application with its sweeper, on real files, called through its ASGI face."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from asgi_lifespan import LifespanManager

from app.api import create_app
from tests import factories

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from fastapi import FastAPI

    from app.api.deps import Executor
    from app.ingest.draft import Draft

    Serve = Callable[..., AbstractAsyncContextManager["Client"]]


class Client(httpx.AsyncClient):
    """A client of an application in this process."""

    app: FastAPI


def executor_of(client: httpx.AsyncClient) -> Executor:
    """The executor of the application that a Client asks."""
    assert isinstance(client, Client)
    executor: Executor = client.app.state.executor
    return executor


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Opens a client, with a key, of an application that holds `drafts`, indexed."""

    @asynccontextmanager
    async def _serve(drafts: Sequence[Draft] = (), **more: Any) -> AsyncIterator[Client]:
        factories.blank(tmp_path)
        given = {"sync_interval_s": 3600, "search_timeout_s": 60, **more}
        chosen = factories.settings(tmp_path, **given)
        app: FastAPI = create_app(chosen)
        async with LifespanManager(app, startup_timeout=120, shutdown_timeout=120) as manager:
            transport = httpx.ASGITransport(manager.app, raise_app_exceptions=False)
            async with Client(transport=transport, base_url="http://test") as client:
                client.app = app
                factories.take_key(app.state.executor.database)
                client.headers.update(factories.KEYED)
                if drafts:
                    factories.save(app.state.executor.database, drafts)
                await follow(client)
                yield client

    return _serve


async def follow(client: httpx.AsyncClient) -> None:
    """Let the sweeper take in what is stored."""
    executor_of(client).wake.set()
    await until(client, "/v1/status", lambda answer: answer.json()["index"]["lag"] == 0)


async def settled(client: httpx.AsyncClient) -> None:
    """All that is stored has been read, and all that this changed is indexed."""
    executor_of(client).wake.set()

    def holds(answer: httpx.Response) -> bool:
        status = answer.json()
        return bool(
            status["extraction"]["lag"] == 0
            and status["extraction"]["extractor"]
            and status["index"]["lag"] == 0
        )

    await until(client, "/v1/status", holds)


async def until(
    client: httpx.AsyncClient, url: str, holds: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """The first answer of `url` for which `holds`; waits two minutes for it at most."""
    with anyio.fail_after(120):
        while not holds(answer := await client.get(url)):
            await anyio.sleep(0.01)
    return answer
