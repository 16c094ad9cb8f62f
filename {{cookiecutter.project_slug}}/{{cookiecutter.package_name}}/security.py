"""Security: proxies, HTTPS and the main domain, headers, and forms."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, {{ "abort, " if cookiecutter.gateway_server == "uwsgi" }}current_app, redirect, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf import CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)
from werkzeug import Response
from werkzeug.exceptions import SecurityError
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Each form needs a hidden field "csrf_token", as the example in README.md has it.
csrf = CSRFProtect()


def init_app(app: Flask) -> None:
    app.session_interface = SessionInterface(app)
{% if cookiecutter.gateway_server == 'uwsgi' %}
    app.before_request(refuse_chunked_body)
{% endif %}
    app.before_request(redirect_to_main_url)
    csrf.init_app(app)

    headers = list(response_headers(app).header_items())
    application = app.wsgi_app

    def add_headers(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def add_and_start(
            status: str, own: list[tuple[str, str]], exc_info: "OptExcInfo | None" = None
        ) -> Callable[[bytes], object]:
            names = {name.lower() for name, _ in own}
            own.extend([header for header in headers if header[0].lower() not in names])
            return start_response(status, own, exc_info)

        return application(environ, add_and_start)

    app.wsgi_app = add_headers  # type: ignore[method-assign]
    if app.config["PROXY_HOPS"]:
        # Each proxy appends to X-Forwarded-For, but only one tells the scheme. The real Host
        # reaches the application.
        proxied = ProxyFix(app.wsgi_app, x_for=app.config["PROXY_HOPS"], x_proto=1, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]


class SessionInterface(SecureCookieSessionInterface):
    """Flask's sessions, with one signer. Flask makes one for each request, which takes long."""

    def __init__(self, app: Flask) -> None:
        self.signer = super().get_signing_serializer(app)

    def get_signing_serializer(self, _app: Flask) -> URLSafeTimedSerializer | None:
        return self.signer


def redirect_to_main_url() -> Response | None:
    """Redirect to HTTPS and to the main domain, which Divio leaves to the application.

    Temporarily, as Divio advises, so that it can be undone:
    https://docs.divio.com/reference/domains/
    """
    if isinstance(request.routing_exception, SecurityError):
        return None  # A host that is not ours is refused, not redirected.
    config = current_app.config
    asked = (request.scheme, request.host.lower())
    scheme, host = asked
    if config["HTTPS_ONLY"]:
        scheme = "https"
    if config["CANONICAL_DOMAIN"] and host.partition(":")[0] in config["REDIRECTED_DOMAINS"]:
        host = config["CANONICAL_DOMAIN"]
    if (scheme, host) == asked:
        return None
    code = 302 if request.method in {"GET", "HEAD"} else 307
    return redirect(urlsplit(request.url)._replace(scheme=scheme, netloc=host).geturl(), code)


{% if cookiecutter.gateway_server == 'uwsgi' %}
def refuse_chunked_body() -> None:
    """Refuse a body without a length, because uWSGI would pass on an empty one."""
    if "Transfer-Encoding" in request.headers:
        abort(411)


{% endif %}
def response_headers(app: Flask) -> Secure:
    """Return the headers of all responses, for views that set none of the same name."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .object_src("'none'")
    )
    if media_host := urlsplit(getattr(app.config["MEDIA_STORAGE"], "base_url", "")).netloc:
        policy = policy.img_src("'self'", media_host).media_src("'self'", media_host)
    return Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        hsts=StrictTransportSecurity().max_age(app.config["HSTS_SECONDS"])
        if app.config["HTTPS_ONLY"]
        else None,
        permissions=PermissionsPolicy().camera().geolocation().microphone(),
        referrer=ReferrerPolicy().strict_origin_when_cross_origin(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
