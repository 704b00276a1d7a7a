"""`backends.one_host` for many requests at once: the key goes to one host, and no answer is without end."""

from __future__ import annotations

import urllib.request
from collections.abc import AsyncIterator

import httpx2

from reference_impls.backends.one_host import KEPT, MOST, RefusedError, origin

#: Connections of one pool. Whenever a request begins or ends, a pool looks at each of them.
EACH = 8


class AsyncOneHost(httpx2.AsyncBaseTransport):
    """Sends requests to the host of an address.

    Args:
        url: the address; every request has its scheme, host and port.
        key: sent in `header`; empty: none.
        header: ``authorization`` (as bearer token) or ``api-key``.
        connections: at once.

    As there, only https goes through a proxy of the environment.

    Raises:
        RefusedError: the environment names a proxy that cannot be used.
    """

    def __init__(self, url: httpx2.URL, key: str, header: str, connections: int) -> None:
        self._origin = origin(url)
        self._own = {header: f"Bearer {key}" if header == "authorization" else key} if key else {}
        proxy = None
        if url.scheme == "https" and not urllib.request.proxy_bypass(url.host):
            named = urllib.request.getproxies()
            proxy = named.get("https") or named.get("all")
        verify = httpx2.create_ssl_context() if url.scheme == "https" else False
        sizes = [min(EACH, connections - begun) for begun in range(0, connections, EACH)]
        try:
            self._pools = [
                _Pool(
                    httpx2.AsyncHTTPTransport(
                        verify=verify,
                        proxy=proxy,
                        limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size),
                    ),
                    size,
                )
                for size in sizes
            ]
        except (ImportError, ValueError, httpx2.InvalidURL):
            raise RefusedError("the proxy that the environment names cannot be used (correct HTTPS_PROXY)") from None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if origin(request.url) != self._origin:
            raise RefusedError("it sends on to another address, which was not asked for")
        headers = {name: value for name, value in request.headers.items() if name in KEPT}
        headers |= {"user-agent": "llm-ensemble-atlas", "accept-encoding": "identity"} | self._own
        sent = httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        # The first one with room: so the fewest connections are open, and those that are stay in use.
        pool = next((p for p in self._pools if p.busy < p.size), min(self._pools, key=lambda p: p.busy / p.size))
        pool.busy += 1
        try:
            answer = await pool.inner.handle_async_request(sent)
        except BaseException:
            pool.busy -= 1
            raise
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        stream = _Bounded(answer.stream, pool)
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            await stream.aclose()
            raise RefusedError("it answers compressed, which was not asked for")
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions
        )

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.inner.aclose()


class _Pool:
    """Some of the connections, `size` at most, of which `busy` are in use."""

    def __init__(self, inner: httpx2.AsyncHTTPTransport, size: int) -> None:
        self.inner, self.size, self.busy = inner, size, 0


class _Bounded(httpx2.AsyncByteStream):
    """A body of at most `MOST` bytes; until it is closed its connection is in use."""

    def __init__(self, stream: httpx2.AsyncByteStream, pool: _Pool) -> None:
        self._stream, self._pool, self._closed = stream, pool, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._stream:
            read += len(piece)
            if read > MOST:
                raise RefusedError(f"its answer is longer than {MOST >> 20} MiB")
            yield piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._pool.busy -= 1
        await self._stream.aclose()
