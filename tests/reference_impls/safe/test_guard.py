"""No way of writing a private address passes, and public ones do."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_impls.safe.guard import is_private_literal, is_public, origin

PRIVATE = (
    "127.0.0.1", "127.1", "0x7f000001", "0x7F.1", "2130706433", "017700000001", "0177.0.0.1", "127.0.0.1.", "0",
    "localhost", "localhost.", "LOCALHOST", "a.localhost", "printer.local", "x.internal.", "::1", "[::1]",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1%eth0", "10.0.0.1", "192.168.1.1.", "169.254.169.254",
    "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_in_any_dress(host: str) -> None:
    assert is_private_literal(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "arxiv.org", "2001:4860:4860::8888", "127.example.org", "0x7f.org", "1"])
def test_public_addresses_and_names(host: str) -> None:
    # "1" is 0.0.0.1, which no host has: refused as well
    assert is_private_literal(host) is (host == "1")


@given(st.integers(0, 2**32 - 1), st.sampled_from([str, hex, lambda n: f"0{n:o}"]), st.booleans())
def test_a_number_is_the_address_that_it_is(number: int, write: "type[str]", dot: bool) -> None:
    host = write(number) + "." * dot
    assert is_private_literal(host) is not is_public(str(ipaddress.IPv4Address(number)))


@pytest.mark.parametrize(
    "url", ["http://127%2e0.0.1/", "ftp://a.example/", "http:///x", "//a.example", "http://%6c/"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="is no http"):
        origin(url)
