"""What must not happen in a window while a test uses it: errors, and requests to anywhere but the test's own server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebSocket

# Streamlit does not know at first how deep below its root a page's address is. It asks below the page too, gets a 404
# from its own server, and goes on at the root.
_ASKED_TOO_DEEP = re.compile(r"http://127\.0\.0\.1:\d+/[a-z_]+/_stcore/(health|host-config)")


class Watch:
    """Notices everything of a window, in ``noticed``, a line each; its server is the one it opens first."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.noticed: list[str] = []
        self._server = ""
        context.on("console", self._said)
        context.on("weberror", lambda error: self.noticed.append(f"page error: {error.error}"))
        context.on("request", self._asked)
        context.on("page", self._opened)

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _said(self, message: ConsoleMessage) -> None:
        url = message.location["url"]
        known = "status of 404" in message.text and _ASKED_TOO_DEEP.fullmatch(url)
        if message.type == "error" and not known:
            self.noticed.append(f"console: {message.text} ({url})")

    def _asked(self, request: Request) -> None:
        self._reach(request.url)

    def _connected(self, socket: WebSocket) -> None:
        self._reach(socket.url)

    def _reach(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in {"data", "blob"}:
            return
        self._server = self._server or parts.netloc
        if parts.netloc != self._server:
            self.noticed.append(f"request: {url}")
