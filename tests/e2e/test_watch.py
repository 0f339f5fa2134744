"""The watcher of the windows notices what it is for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Server, settle
from tests.e2e.watch import Watch

_ELSEWHERE = "127.0.0.1:9"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("console.error('broken')", "console: broken"),
        ("setTimeout(() => { throw new Error('broken') })", "page error: broken"),
        (f"new Image().src = 'http://{_ELSEWHERE}/x.png'", f"request: http://{_ELSEWHERE}/x.png"),
        (f"new WebSocket('ws://{_ELSEWHERE}/x')", f"request: ws://{_ELSEWHERE}/x"),
        ("fetch('/media/nothing.png')", "console: Failed to load resource: the server responded with a status of"),
    ],
)
def test_errors_and_requests_to_elsewhere_are_noticed(server: Server, browser: Browser, script: str, said: str) -> None:
    watch = Watch(browser.new_context())
    page = watch.context.new_page()
    page.goto(f"{server.url}/train")
    settle(page)
    assert watch.noticed == []
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(300)
    watch.context.close()
    assert any(line.startswith(said) for line in watch.noticed)
