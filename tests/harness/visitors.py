"""Visitors of a site, who keep cookies and fill in forms."""

import html
import re
from http.cookies import SimpleCookie

import requests

from tests.harness import edge


class Visitor:
    """Somebody with a browser, in front of Divio's load balancer.

    url: of the container that the load balancer chooses
    address: their IP address
    """

    def __init__(self, url: str, address: str = edge.FORWARDED["X-Forwarded-For"]) -> None:
        self.url = url
        self.address = address
        self.cookies = SimpleCookie()  # requests would send none that is for HTTPS alone

    def get(self, path: str) -> requests.Response:
        return self.ask("GET", path)

    def fill_in(self, path: str, to: str = "", **fields: str) -> requests.Response:
        """Fill in the form of a page and send it, to another path if there is one.

        Returns the answer, or the page that it redirects to.
        """
        answer = self.send(to or path, self.token(path), **fields)
        return self.get(answer.headers["Location"]) if answer.is_redirect else answer

    def token(self, path: str) -> str:
        """Return what a form of the page has to be sent with."""
        [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', self.get(path).text)
        return html.unescape(token)

    def send(self, path: str, token: str, **fields: str) -> requests.Response:
        return self.ask("POST", path, data=fields | {"csrf_token": token})

    def ask(self, method: str, path: str, **content: dict[str, str]) -> requests.Response:
        headers = {
            "Cookie": "; ".join(f"{one.key}={one.value}" for one in self.cookies.values()),
            "Referer": f"https://{edge.DOMAIN}{path}",
            "X-Forwarded-For": self.address,
        }
        answer = edge.ask(method, self.url + path, headers, **content)
        self.cookies.load(answer.headers.get("Set-Cookie", ""))
        return answer
