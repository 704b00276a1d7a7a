"""A server that takes its time, and notes who hangs up on it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.reference_impls.backends.server import choice, said


class Slow:
    """Answers when it is let, or speaks without end where a stream is wanted.

    Attributes:
        url: with ``/v1``.
        asked: set when a request has come.
        go_on: lets it answer.
        left: set when the other side has hung up.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked, self.go_on, self.left = threading.Event(), threading.Event(), threading.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    line.split(b":")[1] for line in head.lower().split(b"\r\n") if b"content-length" in line
                )
                body = json.loads(await reader.readexactly(int(length)))
                self.asked.set()
                gone = asyncio.ensure_future(reader.read(1))
                if body.get("stream"):
                    await self._speak(writer, gone)
                    return
                while not self.go_on.is_set():
                    await asyncio.wait([gone], timeout=0.01)
                    if gone.done():
                        self.left.set()
                        return
                content = json.dumps(said(choice("late"))).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
                await writer.drain()
                gone.cancel()
                return

    async def _speak(self, writer: asyncio.StreamWriter, gone: asyncio.Future[bytes]) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        while not gone.done():
            delta = {"index": 0, "delta": {"content": "and "}, "finish_reason": None}
            writer.write(b"data: " + json.dumps(chunk | {"choices": [delta]}).encode() + b"\n\n")
            await asyncio.wait([gone], timeout=0.01)
        self.left.set()


@contextmanager
def slow() -> Iterator[Slow]:
    server = Slow()
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await server._serve(reader, writer)
        finally:
            writer.close()

    async def run() -> None:
        listening = await asyncio.start_server(handle, "127.0.0.1", 0)
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
        ready.set()
        async with listening:
            await ended.wait()
        await loop.shutdown_asyncgens()  # in this thread: a browser of other tests may keep a loop in theirs

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
