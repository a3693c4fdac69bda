"""The text that is signed: its digest, its terms, what keeps it from being proposed."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.wire import merged
from app.models.agreement_text import AgreementText, Disclosure, canonical, digest_of
from app.models.agreements import terms_of
from app.models.terms import DEFAULT_TERMS, PARTY_READERS, Reader, RecordKind

AGREEMENT = UUID(int=3)


def test_the_defaults_are_those_of_the_domain() -> None:
    text = AgreementText()
    for kind, readers in DEFAULT_TERMS.items():
        assert text.disclosure.ticks(kind) == set(readers)
    assert DEFAULT_TERMS[RecordKind.REFLECTIONS] == ()
    assert DEFAULT_TERMS[RecordKind.GOALS] == (Reader.COACHES, Reader.ADVISERS)


def test_any_change_of_the_text_changes_the_digest() -> None:
    base = canonical(AgreementText(purpose="One"))
    digests = {
        digest_of(AGREEMENT, 1, base),
        digest_of(AGREEMENT, 2, base),
        digest_of(UUID(int=4), 1, base),
        digest_of(AGREEMENT, 1, canonical(AgreementText(purpose="Two"))),
        digest_of(AGREEMENT, 1, {**base, "confidentiality_limit": "none"}),
    }
    assert len(digests) == 5
    assert digest_of(AGREEMENT, 1, json.loads(json.dumps(base))) in digests


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda value: bool(value.strip())
)


@given(texts)
def test_what_is_stored_reads_back_as_the_same_text(value: str) -> None:
    text = AgreementText(purpose=value, ground_rules=[value])
    stored = json.loads(json.dumps(canonical(text)))
    fixed = ("confidentiality_limit", "obligations")
    again = AgreementText.model_validate({k: v for k, v in stored.items() if k not in fixed})
    assert digest_of(AGREEMENT, 1, canonical(again)) == digest_of(AGREEMENT, 1, stored)


@given(st.lists(st.sampled_from(list(Reader)), max_size=6))
def test_the_order_and_repetition_of_ticks_do_not_matter(readers: list[Reader]) -> None:
    one, other = Disclosure(goals=readers), Disclosure(goals=sorted(readers, reverse=True))
    assert one == other
    assert len(one.goals) == len(set(readers))


def test_the_parties_always_read_what_they_sign() -> None:
    for kind in ("existence", "text"):
        with pytest.raises(ValidationError, match="always read"):
            Disclosure.model_validate({kind: ["coaches"]})
    with pytest.raises(ValidationError, match="knows that it exists"):
        Disclosure(text=[*PARTY_READERS, Reader.SYSTEMS])


def test_the_terms_in_force_hold_one_row_a_kind() -> None:
    text = AgreementText(disclosure=Disclosure(goals=[Reader.NETWORKS, Reader.SYSTEMS]))
    rows = {term.kind: term for term in terms_of(AGREEMENT, text, 3)}
    assert set(rows) == set(RecordKind)
    goals = rows[RecordKind.GOALS]
    assert (goals.to_networks, goals.to_systems, goals.to_coaches) == (True, True, False)


def test_a_merge_patch_is_that_of_the_rfc() -> None:
    """The examples of RFC 7396, appendix A."""
    examples: list[tuple[Any, Any, Any]] = [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ]
    for target, patch, result in examples:
        assert merged(target, patch) == result
