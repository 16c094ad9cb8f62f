"""Security: proxies, HTTPS and the main domain, headers, bodies, sessions, and forms."""

from functools import partial
{% if cookiecutter.gateway_server == 'gunicorn' %}
from typing import IO, cast
{% endif %}
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication, WSGIEnvironment

from flask import Flask, Request, {{ "abort, " if cookiecutter.gateway_server == "uwsgi" }}current_app, redirect, request
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect
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
{% if cookiecutter.gateway_server == 'gunicorn' %}
from werkzeug.utils import cached_property
from werkzeug.wsgi import LimitedStream
{% endif %}

from . import access, wsgi

# Each form needs a hidden field "csrf_token", as the example in README.md has it.
csrf = CSRFProtect()


class SessionInterface(SecureCookieSessionInterface):
    """Flask's sessions, but a visitor who has none costs no signer, which takes long to make."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) in request.cookies:
            return super().open_session(app, request)
        return self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: FlaskResponse) -> None:
        """Save it, and let only the visitor's browser keep a page that depends on it."""
        # Flask looks at all settings of the cookie before it finds that there is none.
        if session or session.accessed:
            super().save_session(app, session, response)
            if "Cookie" in response.vary:
                response.headers.setdefault("Cache-Control", "private")


def trust_proxies(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Take scheme and address of the client from the proxies in front."""
    if hops := app.config["PROXY_HOPS"]:
        # Each proxy appends to X-Forwarded-For, but only one tells the scheme. The real Host
        # reaches the application.
        return ProxyFix(application, x_for=hops, x_proto=1, x_host=0)
    return application


def limit_access(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Keep out who does not know BASIC_AUTH, and search engines where the site is not live."""
    if credentials := app.config["BASIC_AUTH"]:
        redirect = partial(redirect_to_main_url, app=app)
        # The redirect has to know the scheme, which static files do not.
        application = trust_proxies(app, access.basic_auth(application, credentials, redirect))
    if app.config["NOINDEX"]:
        application = access.with_header(application, "X-Robots-Tag", "noindex")
    return application


def add_headers(app: Flask, application: WSGIApplication) -> WSGIApplication:
    """Add headers to all responses, but for those that a view has set."""
    ours = {header[0].lower(): header for header in response_headers(app).header_items()}

    def add(_environ: WSGIEnvironment, _status: str, headers: wsgi.Headers) -> None:
        own = {name.lower() for name, _ in headers}
        headers.extend(header for name, header in ours.items() if name not in own)

    return wsgi.before_headers(application, add)


def redirect_to_main_url(request: Request = request, app: Flask = current_app) -> Response | None:
    """Redirect to HTTPS and to the main domain, which Divio leaves to the application.

    Temporarily, as Divio advises, so that it can be undone:
    https://docs.divio.com/reference/domains/
    """
    if isinstance(request.routing_exception, SecurityError):
        return None  # A host that is not ours is refused, not redirected.
    config = app.config
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


{% if cookiecutter.gateway_server == 'gunicorn' %}
class LimitedRequest(Request):
    """Flask's request, but with a chunked body that is never cut off."""

    @cached_property
    def stream(self) -> IO[bytes]:
        limit = self.max_content_length
        if limit is not None and "Transfer-Encoding" in self.headers:
            body = ChunkedBody(self.environ["wsgi.input"], limit, is_max=True)
            return cast("IO[bytes]", body)
        return super().stream


class ChunkedBody(LimitedStream):
    """Werkzeug's, but one that is too long is refused, and one of just the limit is not."""

    def readall(self) -> bytes:
        body = super().readall()
        self.read(1)
        return body

    def on_exhausted(self) -> None:
        if self._stream.read(1):
            super().on_exhausted()
{% else %}
def refuse_raw_query() -> None:
    """Refuse a query that is not percent-encoded, because request.args could fail at it."""
    if not request.query_string.isascii():
        abort(400)
{% endif %}


def response_headers(app: Flask) -> Secure:
    """Return the headers of all responses."""
    policy = (
        ContentSecurityPolicy()
        .default_src("'self'")
        .base_uri("'none'")
        .form_action("'self'")
        .frame_ancestors("'none'")
        .object_src("'none'")
    )
    storage = app.config["MEDIA_STORAGE"]
    if storage and (media_host := urlsplit(storage.base_url).netloc):
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
