"""How browsers get a media file, by the suffix of its name.

A short list, because what users upload must not run as a page of the host that serves it.
"""

from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"
SVG = "image/svg+xml"

TYPES = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
    ".ico": "image/vnd.microsoft.icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": SVG,
    ".webp": "image/webp",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".ogv": "video/ogg",
    ".webm": "video/webm",
    ".pdf": "application/pdf",
    ".txt": "text/plain; charset=utf-8",
}


def content_type(name: str) -> str:
    """Return the content type of a file."""
    return TYPES.get(PurePosixPath(name).suffix.lower(), UNKNOWN)


def is_download(name: str) -> bool:
    """Return whether a browser has to save the file instead of opening it.

    An SVG image may hold scripts, but none of them runs where a page shows it with <img>.
    """
    return content_type(name) in {SVG, UNKNOWN}
