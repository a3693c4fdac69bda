"""Which language and media type a caller is answered in, whatever they send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.core.negotiation import language_of, media_type_of

HTML_OR_JSON = ("application/json", "text/html")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def asking(name: str, *values: str) -> Request:
    headers = [(name.encode(), value.encode("latin-1")) for value in values]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        ("", "en"),
        ("cy", "cy"),
        ("CY", "cy"),
        ("en, cy", "en"),
        ("cy, en", "cy"),
        ("en;q=0.4, cy;q=0.7", "cy"),
        ("cy;q=0.4, en;q=0.7", "en"),
        ("cy-GB, en;q=0.9", "cy"),
        ("en-GB,en;q=0.9,cy;q=0.8", "en"),
        ("fr, de;q=0.9", "en"),
        ("fr, cy;q=0.1", "cy"),
        ("*", "en"),
        ("cy, *;q=0.5", "cy"),
        ("*;q=0.5, cy;q=0.1", "en"),
        ("en;q=0, *", "cy"),
        ("cy;q=0", "en"),
        ("cy;q=0, *", "en"),
        ("en;q=0", "en"),
        ("cy ; q=1.000 , en ; Q = 0.999", "cy"),
        ("cym", "en"),
        ("en;q=2, cy;q=0.1", "cy"),
        ("en;q=abc, cy", "cy"),
        (";;;,,q=1,;q=0", "en"),
        ("cy" + ", en" * 400, "en"),
    ],
)
def test_the_language_with_the_greatest_weight_is_spoken(sent: str, language: str) -> None:
    assert language_of(asking("accept-language", sent)) == language


def test_english_is_spoken_without_a_wish_and_two_headers_are_one_list() -> None:
    assert language_of(Request({"type": "http", "headers": []})) == "en"
    assert language_of(asking("accept-language", "en;q=0.5", "cy")) == "cy"


@pytest.mark.parametrize(
    ("sent", "media_type"),
    [
        (BROWSER, "text/html"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/*", "text/html"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html;level=1;q=0.9, application/json;q=0.2", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("application/*;q=0.1, text/html;q=0.2", "text/html"),
        ("image/png", "application/json"),
        ("text", "application/json"),
    ],
)
def test_browsers_get_pages_and_programs_get_json(sent: str, media_type: str) -> None:
    assert media_type_of(asking("accept", sent), HTML_OR_JSON) == media_type


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=200))
def test_no_header_is_an_error(sent: str) -> None:
    assert language_of(asking("accept-language", sent)) in ("en", "cy")
    assert media_type_of(asking("accept", sent), HTML_OR_JSON) in HTML_OR_JSON
