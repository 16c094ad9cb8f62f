"""The floor that does the same: Flask that can sign a session, run with an access log."""

from floors.bare import app

app.secret_key = "of-the-benchmarks"
