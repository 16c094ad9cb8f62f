from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from my_flask_app.wsgi import Headers, before_headers, surround


def test_first_layer_sees_a_request_first() -> None:
    seen = []

    def noting(name: str, application: WSGIApplication) -> WSGIApplication:
        def layer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            seen.append(name)
            return application(environ, start_response)

        return layer

    app = Flask("other")
    surround(app, lambda _, rest: noting("first", rest), lambda _, rest: noting("second", rest))
    app.test_client().get("/")
    assert seen == ["first", "second"]


def test_headers_can_be_changed_before_they_are_sent() -> None:
    def change(environ: WSGIEnvironment, status: str, headers: Headers) -> None:
        headers.append(("X-Seen", f"{environ['PATH_INFO']} {status}"))

    app = Flask("other")
    surround(app, lambda _, rest: before_headers(rest, change))
    assert app.test_client().get("/a").headers["X-Seen"] == "/a 404 NOT FOUND"
