"""A session with the dashboard over its websocket, without a browser: runs a page's script as a browser would ask."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets.sync.client import ClientConnection, connect


@dataclass(frozen=True)
class ScriptRun:
    """What one run of the script took, in milliseconds from the request to its last message, and what it drew."""

    ms: float
    texts: tuple[str, ...]
    sliders: dict[str, Slider]


class PageSession:
    """One page, kept open."""

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket, self._page, self._query = socket, page, query

    def run(self, slider: Slider | None = None, value: float = 0.0) -> ScriptRun:
        """Run the script, with a slider moved to a value if one is given."""
        message = BackMsg()
        asked = message.rerun_script
        asked.page_name, asked.query_string = self._page, self._query
        if slider is not None:
            asked.widget_states.widgets.add(id=slider.id).double_array_value.data.append(value)
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        texts, sliders = [], {}
        for answer in self._answers():
            element = answer.delta.new_element
            if element.HasField("markdown"):
                texts.append(element.markdown.body)
            elif element.HasField("slider"):
                sliders[element.slider.label] = element.slider
        return ScriptRun((time.perf_counter() - started) * 1000, tuple(texts), sliders)

    def _answers(self) -> Iterator[ForwardMsg]:
        """What the server sends until the script has finished."""
        while True:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(decode=False))
            if message.HasField("script_finished"):
                return
            yield message


@contextlib.contextmanager
def page_session(url: str, page: str, query: str = "") -> Iterator[PageSession]:
    """Open a page of a running dashboard."""
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None) as socket:  # type: ignore[list-item]
        yield PageSession(socket, page, query)
