"""Ids, cursors, text: the small rules that everything stands on."""

import time
import unicodedata
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.core.ids import uuid7
from app.core.pages import Cursors
from app.core.text import clean, fold


def test_ids_are_uuids_of_version_7_in_order_and_hold_the_time() -> None:
    before = time.time_ns() // 1_000_000
    ids = [uuid7() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {i.version for i in ids} == {7}
    assert {i.variant for i in ids} == {UUID(int=0x8 << 60).variant}
    assert before - 1 <= ids[0].int >> 80 <= time.time_ns() // 1_000_000 + 10


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_cursor_opens_only_in_the_list_that_sealed_it(a: str, b: str, position: str) -> None:
    cursors = Cursors(b"k" * 32)
    try:
        position.encode()
        a.encode()
        b.encode()
    except UnicodeEncodeError:
        return
    sealed = cursors.seal(position, a)
    assert cursors.open(sealed, a) == position
    if a != b:
        with pytest.raises(Invalid):
            cursors.open(sealed, b)
    with pytest.raises(Invalid):
        Cursors(b"other" * 7).open(sealed, a)


@given(st.text(max_size=60))
def test_nothing_but_our_own_cursors_opens(forged: str) -> None:
    with pytest.raises(Invalid):
        Cursors(b"k" * 32).open(forged, "/v1/goals?")


@pytest.mark.parametrize(
    ("written", "folded"),
    [("Tŷ Ŵyn", "ty wyn"), ("  Llŷr\tAP ", "llyr ap"), ("Straße", "strasse"), ("Ørjan", "orjan")],
)
def test_letters_are_folded_for_search(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text(max_size=80))
def test_text_is_kept_as_sent_in_nfc_or_refused(value: str) -> None:
    try:
        kept = clean(value)
    except ValueError:
        assert any(unicodedata.category(c) in ("Cc", "Cs") for c in value)
    else:
        assert kept == unicodedata.normalize("NFC", value)
        assert clean(kept) == kept
