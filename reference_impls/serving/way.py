"""The way from the endpoint to one model's server: `backends.one_host` on ``aiohttp``.

The ``openai`` library, by which models are recorded, takes most of the processor time of a request that is only
passed on; this takes a ninth of it (``reference_impls.serving.load`` measures the endpoint). The rules are the same:
the key goes to one host, a redirect is not followed, and no answer is without end.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from reference_impls.backends.one_host import MOST, RefusedError
from reference_impls.recording.config import ModelConfig

#: Bytes of one event of a stream.
EVENT = 1 << 22
_FIXED = {
    "accept": "application/json", "accept-encoding": "identity", "content-type": "application/json",
    "user-agent": "llm-ensemble-atlas",
}  # fmt: skip


class Way:
    """Sends requests to a model's server over connections that stay open.

    Args:
        model: its address.
        key: sent as the kind of server wants it; empty: none.
        connections: at once; further requests wait.

    As in `backends.one_host`, only https goes through a proxy of the environment.

    Raises:
        ValueError: the environment names a proxy that cannot be used.
    """

    def __init__(self, model: ModelConfig, key: str, connections: int) -> None:
        self._url, self._connections, self._patience = address(model), connections, model.timeout
        own = {"api-key": key} if model.kind == "azure" else {"authorization": f"Bearer {key}"}
        self._headers = _FIXED | (own if key else {})
        parts = urlsplit(self._url)
        secure = parts.scheme == "https"
        self._trusted: ssl.SSLContext | bool = True
        self._proxy = None
        if secure:
            import httpx2  # noqa: PLC0415 (half a second)

            self._trusted = httpx2.create_ssl_context()  # the certificates that recording trusts, too
        if secure and not urllib.request.proxy_bypass(parts.hostname or ""):
            named = urllib.request.getproxies()
            self._proxy = named.get("https") or named.get("all")
        if self._proxy and urlsplit(self._proxy).scheme not in ("http", "https"):
            raise ValueError(
                f"{model.name}: the proxy that the environment names cannot be used (correct HTTPS_PROXY)"
            )
        self._session: aiohttp.ClientSession | None = None

    def post(self, body: Mapping[str, Any]) -> aiohttp.client._RequestContextManager:
        """A request, to be entered; then the answer's head is there.

        Raises:
            ValueError: the body holds what JSON cannot say.
        """
        content = json.dumps(body, allow_nan=False).encode()
        if self._session is None:  # it belongs to the loop that runs
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, ssl=self._trusted),
                auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_read=self._patience), trust_env=False,
            )  # fmt: skip
        return self._session.post(self._url, data=content, proxy=self._proxy, allow_redirects=False)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def address(model: ModelConfig) -> str:
    """Where a model's chat requests go.

    >>> address(ModelConfig(name="a", base_url="http://127.0.0.1:8000/v1"))
    'http://127.0.0.1:8000/v1/chat/completions'
    >>> address(ModelConfig(name="a b", kind="azure", base_url="https://x.example", api_version="2025-01-01"))
    'https://x.example/openai/deployments/a%20b/chat/completions?api-version=2025-01-01'
    """
    if model.kind == "azure":
        version = quote(model.api_version, safe="")
        deployment = f"{model.base_url}/openai/deployments/{quote(model.served, safe='')}"
        return f"{deployment}/chat/completions?api-version={version}"
    return f"{model.base_url}/chat/completions"


async def whole(answer: aiohttp.ClientResponse) -> bytes:
    """All of an answer.

    Raises:
        RefusedError: it is compressed, or without end.
        aiohttp.ClientError: it broke off.
    """
    return b"".join([piece async for piece in _bounded(answer)])


async def lines(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The lines of an answer as they come.

    Raises:
        RefusedError: it is compressed, or without end, or a line of it is.
        aiohttp.ClientError: it broke off.
    """
    rest = b""
    async for piece in _bounded(answer):
        *ended, rest = (rest + piece).split(b"\n")
        for line in ended:
            yield line.decode("utf-8", "replace").rstrip("\r")
        if len(rest) > EVENT:
            raise RefusedError("an event without end")
    if rest:
        yield rest.decode("utf-8", "replace")


async def _bounded(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError("it answers compressed, which was not asked for")
    read = 0
    async for piece in answer.content.iter_any():
        read += len(piece)
        if read > MOST:
            raise RefusedError(f"its answer is longer than {MOST >> 20} MiB")
        yield piece
