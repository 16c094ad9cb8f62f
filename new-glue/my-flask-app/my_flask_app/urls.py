"""URLs under the main domain, for what leaves the site, such as mails."""

from typing import Any

from flask import current_app, has_request_context, request


def main_url_for(endpoint: str, **values: Any) -> str:  # noqa: ANN401
    """Return the whole URL of a page, also outside of a request.

    url_for would take the host that was asked, which with DOMAIN_ALIASES=.* a visitor chooses.
    """
    config = current_app.config
    host = config["CANONICAL_DOMAIN"] or (request.host if has_request_context() else "localhost")
    scheme = "https" if config["HTTPS_ONLY"] else "http"
    current_app.inject_url_defaults(endpoint, values)
    return current_app.url_map.bind(host, url_scheme=scheme).build(
        endpoint, values, force_external=True
    )
