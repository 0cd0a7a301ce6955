"""Where applications are told that they find the API."""

from __future__ import annotations

import pytest

from bridge.settings import Settings


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("https://voice.example", "https://voice.example"),
        ("https://voice.example/", "https://voice.example"),
        ("https://example.com:8443/voice/v1/", "https://example.com:8443/voice/v1"),
        ("http://[2001:db8::7]:8080", "http://[2001:db8::7]:8080"),
        ("http://voice_bridge:8080", "http://voice_bridge:8080"),
    ],
)
def test_the_public_address_ends_in_no_slash(written: str, used: str) -> None:
    settings = Settings(public_url=written)
    assert settings.public_url == settings.url_for_receivers == used


@pytest.mark.parametrize(
    ("host", "port", "told"),
    [
        ("127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("voice.internal", 80, "http://voice.internal"),
        ("::1", 8080, "http://[::1]:8080"),
        ("0.0.0.0", 8080, ""),
        ("::", 8080, ""),
        ("127.0.0.1", 0, ""),
    ],
)
def test_receivers_of_reports_are_told_where_it_listens_if_that_is_one_address(host: str, port: int, told: str) -> None:
    assert Settings(host=host, port=port).url_for_receivers == told
