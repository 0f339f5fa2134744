"""Opens the app without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.workplace import ROOT, Workplace, workplace

__all__ = ["workplace"]


@pytest.fixture
def app(workplace: Workplace, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Opens the app: ``app("retrieval", image="plain/00.png")`` is a page and its link."""
    monkeypatch.setenv("LIKENESS_CACHE", str(workplace.cache))

    def open_page(page: str = "overview", cache: Path | None = None, **link: str | list[str]) -> AppTest:
        if cache is not None:
            monkeypatch.setenv("LIKENESS_CACHE", str(cache))
        test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
        for name, value in link.items():
            test.query_params[name] = value
        test.run()
        return test if page == "overview" else test.switch_page(f"../pages/{page}.py").run()

    st.cache_data.clear()
    st.cache_resource.clear()
    yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()


def texts(test: AppTest) -> str:
    """All that a page says in words."""
    elements = [*test.markdown, *test.caption, *test.info, *test.warning, *test.error, *test.title, *test.success]
    return "\n".join(element.value for element in elements)
