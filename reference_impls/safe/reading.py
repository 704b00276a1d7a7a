"""Reading what a server sends, however slowly it sends it."""

from __future__ import annotations

from collections.abc import Iterator

import requests

PIECE = 64 * 1024


def pieces(response: requests.Response) -> Iterator[bytes]:
    """The body of a streamed answer, decompressed, each piece as soon as a byte of it is there: between two pieces
    whoever reads can look at the clock and at the size, also where a server sends a byte a second.

    Raises:
        urllib3.exceptions.HTTPError: the connection broke, or the body cannot be decompressed.
    """
    while piece := response.raw.read1(PIECE, decode_content=True):
        yield piece
