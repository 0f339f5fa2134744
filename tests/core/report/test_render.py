"""The report is one file that holds what it shows, says what was found, and runs nothing from a name."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from core.answer_words import as_text, sentences
from core.errors import LikenessError
from core.evaluate import HEADLINE
from core.metrics import METRICS
from core.metrics.rates import RATES
from core.report.render import render, write
from core.thresholds import REPORTED
from tests.core.report.conftest import COMMAND, MADE, Made
from tests.workplace import HOSTILE

_VOID = {"meta", "img", "wbr", "br"}
_TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "footer", "h1", "h2", "h3",
    "p", "ol", "ul", "li", "a", "strong", "small", "code", "dl", "dt", "dd", "div", "span", "figure", "figcaption",
    "img", "svg", "g", "path", "line", "circle", "text", "details", "summary", "table", "caption", "thead", "tbody",
    "tfoot", "tr", "th", "td", "wbr",
}  # fmt: skip


class Reader(HTMLParser):
    """Tags with their attributes, the text, and what was never closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is read, with single spaces."""
        return " ".join("".join(self.texts).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def read(made: Made) -> Reader:
    return Reader(made.html)


def test_every_element_is_closed_and_none_is_unknown(read: Reader) -> None:
    assert read.open == []
    assert {tag for tag, _ in read.tags} <= _TAGS


def test_nothing_is_asked_for(read: Reader, made: Made) -> None:
    for tag, attributes in read.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "data", "action", "poster", "srcset"}:
                assert (value or "").startswith(("data:image/jpeg;base64,", "#")), (tag, name)
            if name == "style":
                assert re.fullmatch(r"background:#[0-9a-fA-F]{6}", value or "")
    assert not re.search(r"url\(|@import", made.html)
    policies = [one["content"] for one in read.of("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_links_of_the_table_of_contents_lead_somewhere(read: Reader) -> None:
    targets = {attributes.get("id") for _, attributes in read.tags}
    links = [(one["href"] or "").removeprefix("#") for one in read.of("a")]
    assert len(links) == 8
    assert set(links) <= targets
    named = {value for _, attributes in read.tags if (value := attributes.get("aria-labelledby"))}
    assert named == set(links)


def test_ids_are_unique(read: Reader) -> None:
    counts = Counter(value for _, attributes in read.tags if (value := attributes.get("id")))
    assert max(counts.values()) == 1


def test_pictures_are_small_jpegs_with_words_for_those_who_do_not_see_them(read: Reader) -> None:
    shown = read.of("img")
    assert len(shown) > 5
    for one in shown:
        data = base64.b64decode((one["src"] or "").split(",")[1])
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "JPEG"
            assert max(image.size) <= 144
        assert one["alt"]
    drawn = read.of("svg")
    assert len(drawn) == 6
    assert all(one["role"] == "img" for one in drawn)
    assert [tag for tag, _ in read.tags].count("title") == 1 + len(drawn)


def test_it_has_a_language_a_viewport_and_a_dark_side(read: Reader, made: Made) -> None:
    assert read.of("html") == [{"lang": "en"}]
    assert any(one.get("name") == "viewport" for one in read.of("meta"))
    assert "prefers-color-scheme: dark" in made.html
    assert "@media print" in made.html


def test_names_are_text_and_nothing_else(read: Reader, made: Made) -> None:
    assert HOSTILE in read.text
    assert "<img src=x" not in made.html
    assert "<u>" not in made.html
    assert "<i>" not in made.html
    assert not any("onerror" in attributes for _, attributes in read.tags)
    assert COMMAND in read.text


def test_marks_that_turn_text_around_are_left_out(made: Made) -> None:
    turned = replace(made.found.answer.val, dataset=replace(made.found.answer.dataset, title="a\u202egpj.b\0"))
    html = render(replace(made.found, answer=replace(made.found.answer, val=turned)), made.store, MADE, COMMAND)
    assert "\u202e" not in html
    assert "<title>agpj.b\N{REPLACEMENT CHARACTER}: image similarity report</title>" in html


def test_the_answer_comes_first_and_says_what_the_overview_says(read: Reader, made: Made) -> None:
    paragraph = " ".join(as_text(sentences(made.found.answer)).split())
    assert paragraph in read.text
    assert read.text.index(paragraph) < read.text.index("Models")


def test_every_number_of_the_leaderboard_is_that_of_the_evaluation(read: Reader, made: Made) -> None:
    for result in made.found.answer.test.models.values():
        for name in METRICS:
            assert f"{result.values[name]:.1%}" in read.text
        assert result.backbone.fingerprint in read.text
        assert result.backbone.weights.sha256 in read.text


def test_rates_stand_beside_each_other_on_both_splits(read: Reader, made: Made) -> None:
    used = made.found.answer.threshold
    for name in REPORTED:
        values = (f"{side.rates[name].value:.1%}" for side in (used.val, used.test))
        title, val, test = map(re.escape, [RATES[name].title, *values])
        assert re.search(rf"{title} ?{val} \[[^]]+\] ?{test} \[", read.text)
    counts = used.test.counts
    for number in (counts.true_match, counts.false_match, counts.true_non_match, counts.false_non_match):
        assert f"{number:,} (" in read.text


def test_every_class_has_a_cell_for_each_model(read: Reader, made: Made) -> None:
    table = made.found.classes
    cells = [one for one in read.of("td") if one.get("class") == "cell"]
    assert len(cells) == (table.support > 0).sum() * len(table.models)


def test_definitions_and_provenance_are_there(read: Reader, made: Made) -> None:
    for metric in METRICS.values():
        assert metric.definition in read.text
    assert made.found.answer.dataset.fingerprint in read.text
    assert "03 February 2026, 04:05" in read.text


def test_files_that_were_left_out_are_grouped_by_reason(read: Reader) -> None:
    assert re.search(r"duplicate of another image\s*1\s*plain/copy.png", read.text)
    assert re.search(r"not an image, or a format that cannot be read here\s*1\s*plain/broken.jpg", read.text)


def test_the_same_findings_give_the_same_file(made: Made) -> None:
    assert render(made.found, made.store, MADE, COMMAND) == made.html


def test_files_that_went_away_leave_a_note(made: Made, tmp_path: Path) -> None:
    answer = made.found.answer
    moved = replace(answer.val, dataset=replace(answer.dataset, root=tmp_path))
    html = render(replace(made.found, answer=replace(answer, val=moved)), made.store, MADE, COMMAND)
    assert Reader(html).of("img") == []
    assert "can no longer be read" in html


def test_without_a_map_it_says_so(made: Made) -> None:
    html = render(replace(made.found, map=None), made.store, MADE, COMMAND)
    assert "There are too few images for a map." in html
    assert len(Reader(html).of("svg")) == 5


def test_it_is_written_at_once_or_not_at_all(made: Made, tmp_path: Path) -> None:
    write(tmp_path / "deep" / "report.html", made.html)
    assert (tmp_path / "deep" / "report.html").read_text("utf-8") == made.html
    with pytest.raises(LikenessError, match="could not be written"):
        write(tmp_path / "deep" / "report.html" / "x.html", made.html)


def test_it_is_small(made: Made) -> None:
    assert len(made.html) < 2e6


def test_the_map_is_of_the_model_that_is_used(made: Made) -> None:
    best = made.found.answer.model
    assert made.found.network.name == best
    assert made.found.answer.val.models[best].values[HEADLINE] == max(
        one.values[HEADLINE] for one in made.found.answer.val.models.values()
    )
