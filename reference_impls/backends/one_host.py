"""An HTTP transport that knows one host: it sends the key to nobody else, and reads no more than an answer can have.

The OpenAI library takes it as its way out. Whatever the library reads from the environment (keys, organisations,
further headers) or learns from a server (a redirect), this is what leaves the machine.
"""

import time
import urllib.request
from collections.abc import Iterator

import httpx2

#: Of what a request is made with; all others are dropped.
KEPT = ("accept", "content-type", "content-length", "transfer-encoding", "host", "connection")
#: Bytes of an answer that are read: some 100 times what 20 long answers with log-probabilities have.
MOST = 1 << 28


class RefusedError(Exception):
    """The request or the answer is none that this transport lets pass; the message is one line without secrets."""


class OneHost(httpx2.BaseTransport):
    """Sends requests to the host of an address.

    Args:
        url: the address; every request has its scheme, host and port.
        key: sent as bearer token; empty: none.
        timeout: seconds within which an answer's body has to come.

    A proxy of the environment is used for https alone: it passes on what it cannot read. What goes over http is meant
    for this machine or its neighbours, and a proxy would read the key.

    Raises:
        RefusedError: the environment names a proxy that cannot be used.
    """

    def __init__(self, url: httpx2.URL, key: str, timeout: float) -> None:
        self._origin = origin(url)
        self._timeout = timeout
        self._key = key
        proxy = None
        if url.scheme == "https" and not urllib.request.proxy_bypass(url.host):
            named = urllib.request.getproxies()
            proxy = named.get("https") or named.get("all")
        try:
            self._inner = httpx2.HTTPTransport(verify=url.scheme == "https", proxy=proxy)
        except (ImportError, ValueError, httpx2.InvalidURL):
            raise RefusedError("the proxy that the environment names cannot be used (correct HTTPS_PROXY)") from None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if origin(request.url) != self._origin:
            elsewhere = httpx2.URL(scheme=request.url.scheme, host=request.url.host, port=request.url.port)
            raise RefusedError(
                f"it sends on to {elsewhere}, which was not asked for (name the address that is meant)"
            )
        headers = {name: value for name, value in request.headers.items() if name in KEPT}
        headers |= {"user-agent": "llm-ensemble-atlas", "accept-encoding": "identity"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        sent = httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        answer = self._inner.handle_request(sent)
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            answer.close()
            raise RefusedError("it answers compressed, which was not asked for")
        assert isinstance(answer.stream, httpx2.SyncByteStream)
        body = _Bounded(answer.stream, time.monotonic() + self._timeout)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        self._inner.close()


class _Bounded(httpx2.SyncByteStream):
    """A body of at most `MOST` bytes that comes before a time on the monotonic clock."""

    def __init__(self, stream: httpx2.SyncByteStream, end: float) -> None:
        self._stream, self._end = stream, end

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for piece in self._stream:
            read += len(piece)
            if read > MOST:
                raise RefusedError(f"its answer is longer than {MOST >> 20} MiB")
            if time.monotonic() > self._end:
                raise httpx2.ReadTimeout("the answer did not end in time")
            yield piece

    def close(self) -> None:
        self._stream.close()


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port, the last one written out."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
