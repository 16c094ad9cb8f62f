"""Requests as Divio's load balancer makes them: with the real host, and having ended HTTPS."""

from typing import Any

import requests

DOMAIN = "app.example.org"
FORWARDED = {"Host": DOMAIN, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
# Of a container, by which the platform asks whether it answers at all.
ADDRESS = "10.0.0.164:11453"


def get(url: str, **headers: str) -> requests.Response:
    return ask("GET", url, headers)


def post(url: str, headers: dict[str, str] | None = None, **content: Any) -> requests.Response:
    """Send what `data` or `files` hold, as in requests."""
    return ask("POST", url, headers or {}, **content)


def probe(url: str) -> requests.Response:
    """Ask as the platform does after it has started a container, which no edge forwards.

    An answer with a status below 500 within 20 seconds passes:
    https://docs.divio.com/background/build-process/
    """
    return ask("GET", url, {"Host": ADDRESS, "X-Forwarded-Proto": "", "X-Forwarded-For": ""})


def ask(method: str, url: str, headers: dict[str, str], **content: Any) -> requests.Response:
    sent = FORWARDED | {"Connection": "close"} | headers
    return requests.request(method, url, headers=sent, allow_redirects=False, timeout=35, **content)
