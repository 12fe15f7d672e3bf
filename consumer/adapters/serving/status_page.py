"""The status page: one HTML file beside this module, which requests `/status` every two seconds.

The file is read once, when the server starts. It loads nothing from elsewhere, and the content
security policy that is sent with it allows only its own script, its own style, its icon and
requests to its own host.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

PAGE = "status_page.html"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def status_page() -> tuple[str, dict[str, str]]:
    """Return the page, and the headers to send with it."""
    text = files("consumer.adapters.serving").joinpath(PAGE).read_text("utf-8")
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none';"
        f" frame-ancestors 'none'; script-src {_hashes(_SCRIPT, text)};"
        f" style-src {_hashes(_STYLE, text)}; img-src data:"
    )
    return text, {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _hashes(element: re.Pattern[str], text: str) -> str:
    """Return the hashes by which the policy allows these elements of the page."""
    digests = (sha256(body.encode()).digest() for body in element.findall(text))
    return " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
