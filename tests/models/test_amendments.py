"""What needs every hand and what needs one, as rules over any two texts."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.models.agreement_text import AgreementText, Disclosure, DualRole, Party
from app.models.amendments import (
    check_narrower,
    keeps_less,
    only_removes,
    only_replaces,
    signers,
    without_person,
)
from app.models.bilingual import SAID_CY
from app.models.terms import PARTY_READERS, FormerParties, PartyRole, Reader, RecordKind

ANNA, BELA, CERI, DAFYDD = people = [UUID(int=n) for n in range(1, 5)]
RANK = {FormerParties.NOTHING: 0, FormerParties.OWN: 1, FormerParties.THEIR_TIME: 2}


def text(*parties: tuple[UUID, PartyRole] | tuple[UUID, PartyRole, bool], **more: Any) -> Any:
    named = [Party(person_id=p, role=role, earlier_records=bool(e)) for p, role, *e in parties]
    return AgreementText(parties=named, **more)


LEARNER, COACH, TUTOR = PartyRole.LEARNER, PartyRole.COACH, PartyRole.TUTOR
OLD = text((ANNA, LEARNER), (BELA, COACH), (CERI, TUTOR))

places = st.tuples(st.sampled_from(people), st.sampled_from(PartyRole))
texts = st.lists(places, unique=True, max_size=6).flatmap(
    lambda found: st.lists(st.booleans(), min_size=len(found), max_size=len(found)).map(
        lambda earlier: text(*((p, r, e) for (p, r), e in zip(found, earlier, strict=True)))
    )
)


@st.composite
def amended(draw: st.DrawFn) -> tuple[AgreementText, AgreementText]:
    """A text and what may become of it: some go, some come, and now and then a role changes."""
    old = draw(texts)
    gone = draw(st.sets(st.sampled_from(people)))
    stay = [p for p in old.parties if p.person_id not in gone]
    come = [p for p in draw(texts).parties if p.person_id not in {s.person_id for s in stay}]
    if draw(st.integers(0, 4)) == 0:
        stay = draw(texts).parties
        come = []
    return old, old.model_copy(update={"parties": [*stay, *come]})


terms = st.builds(
    lambda ticks, **flags: Disclosure(
        **{kind: sorted(found) for kind, found in ticks.items()},
        existence=[*PARTY_READERS, *((Reader.LEADERS, Reader.SYSTEMS) if flags["outside"] else ())],
        former_parties=flags["former"],
        counts_in_statistics=flags["counts"],
        peripheral_members=flags["peripheral"],
    ),
    st.fixed_dictionaries(
        {
            str(kind): st.sets(st.sampled_from(Reader))
            for kind in RecordKind
            if kind not in (RecordKind.EXISTENCE, RecordKind.TEXT)
        }
    ),
    outside=st.booleans(),
    former=st.sampled_from(FormerParties),
    counts=st.booleans(),
    peripheral=st.booleans(),
)


@given(st.one_of(st.tuples(texts, texts), amended()))
def test_everybody_of_the_new_text_signs_and_nobody_of_neither(
    both: tuple[AgreementText, AgreementText],
) -> None:
    old, new = both
    asked = signers(old, new)
    assert len(asked) == len(set(asked))
    assert set(new.people()) <= set(asked) <= {*old.people(), *new.people()}


@given(amended())
def test_who_is_not_asked_loses_their_place_and_nobody_gains_by_it(
    both: tuple[AgreementText, AgreementText],
) -> None:
    """The other way round than it is written: what an amendment without somebody may never do."""
    old, new = both
    unasked = {*old.people(), *new.people()} - set(signers(old, new))
    assume(unasked)
    assert unasked == set(old.people()) - set(new.people())
    assert not Counter(p.role for p in new.parties) - Counter(p.role for p in old.parties)
    before = {(p.person_id, p.role): p.earlier_records for p in old.parties}
    for party in new.parties:
        was = before.get((party.person_id, party.role))
        if was is None:
            # Somebody new, not somebody of the old text with one more role.
            assert party.person_id not in old.people()
            assert not party.earlier_records
        else:
            assert party.earlier_records == was
    for person in set(old.people()) & set(new.people()):
        assert old.readers_of(person) == new.readers_of(person)


@given(amended(), st.data())
def test_whoever_is_removed_or_replaced_alone_need_not_sign(
    both: tuple[AgreementText, AgreementText], data: st.DataObject
) -> None:
    old, _ = both
    assume(old.parties)
    gone = data.draw(st.sets(st.sampled_from(old.people()), min_size=1))
    stay = [p for p in old.parties if p.person_id not in gone]
    leaving = [p.role for p in old.parties if p.person_id in gone]
    newcomer = UUID(int=99)
    taken = set(data.draw(st.lists(st.sampled_from(leaving), unique=True)))
    come = [Party(person_id=newcomer, role=role) for role in taken]
    new = old.model_copy(update={"parties": [*come, *stay]})
    assert only_replaces(old, new)
    assert only_removes(old, new) == (not come)
    assert set(signers(old, new)) == set(new.people())
    assert not gone & set(signers(old, new))


OTHER: dict[str, Any] = {
    "home_organisation_id": str(ANNA),
    "networks": [str(ANNA)],
    "purpose": "Another.",
    "beneficiaries": "Another.",
    "working_definition": "Another.",
    "performance_management_boundary": "Another.",
    "professional_standards": "Another.",
    "development_plan": "Another.",
    "ground_rules": ["Another."],
    "disclosure": {"goals": ["coaches"]},
    "data_controller": "Another",
    "lawful_basis": "Another",
    "retention": "Another",
    "records_afterwards": "Another.",
    "rhythm": {"every_weeks": 1, "minutes": 5, "minimum_conversations": 1},
    "coaching_model": "CLEAR",
    "coaching_model_reason": "Another.",
    "supporters": [{"name": "Another", "support": "Time."}],
    "adverse_effects": "Another.",
    "starts_on": "2026-09-01",
    "review_on": ["2026-09-01"],
    "ends_on": "2026-09-01",
    **{f"{name}_cy": "Arall." for name in SAID_CY},
    "ground_rules_cy": ["Arall."],
}


def test_every_field_of_the_text_is_tried_below() -> None:
    assert {*OTHER, "parties", "dual_roles"} == set(AgreementText.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_who_is_removed_signs_when_any_other_field_changes(name: str) -> None:
    removed = without_person(OLD, BELA)
    assert set(signers(OLD, removed)) == {ANNA, CERI}
    whole = {**removed.model_dump(mode="json"), name: OTHER[name]}
    changed = AgreementText.model_validate(whole)
    assert not only_replaces(OLD, changed)
    assert set(signers(OLD, changed)) == {ANNA, BELA, CERI}


@pytest.mark.parametrize(
    ("new", "asked"),
    [
        (text((ANNA, LEARNER), (DAFYDD, COACH), (CERI, TUTOR)), {ANNA, CERI, DAFYDD}),
        (text((ANNA, LEARNER), (CERI, TUTOR)), {ANNA, CERI}),
        (text((ANNA, LEARNER), (DAFYDD, COACH)), {ANNA, DAFYDD}),
        # one takes both places that were left
        (text((ANNA, LEARNER), (DAFYDD, COACH), (DAFYDD, TUTOR)), {ANNA, DAFYDD}),
        # a newcomer who reads what was before, in another role, or in no one's place
        (text((ANNA, LEARNER), (DAFYDD, COACH, True), (CERI, TUTOR)), {ANNA, BELA, CERI, DAFYDD}),
        (text((ANNA, LEARNER), (DAFYDD, TUTOR), (CERI, TUTOR)), {ANNA, BELA, CERI, DAFYDD}),
        (text((ANNA, LEARNER), (BELA, COACH), (CERI, TUTOR), (DAFYDD, COACH)),
         {ANNA, BELA, CERI, DAFYDD}),
        # somebody of the old text who takes the place, keeps it beside, or reads what was before
        (text((ANNA, LEARNER), (CERI, COACH)), {ANNA, BELA, CERI}),
        (text((ANNA, LEARNER), (CERI, TUTOR), (CERI, COACH)), {ANNA, BELA, CERI}),
        (text((ANNA, LEARNER), (CERI, TUTOR, True)), {ANNA, BELA, CERI}),
        # nobody goes
        (text((ANNA, LEARNER), (BELA, TUTOR), (CERI, COACH)), {ANNA, BELA, CERI}),
        (OLD, {ANNA, BELA, CERI}),
    ],
)  # fmt: skip
def test_who_signs(new: AgreementText, asked: set[UUID]) -> None:
    assert set(signers(OLD, new)) == asked


def test_what_is_said_of_a_double_role_goes_with_who_goes() -> None:
    said = [
        DualRole(person_id=p, learner_id=ANNA, relation="leads", safeguards="None.")
        for p in (BELA, CERI)
    ]
    old = OLD.model_copy(update={"dual_roles": said})
    new = without_person(old, BELA)
    assert [d.person_id for d in new.dual_roles] == [CERI]
    assert without_person(old, ANNA).dual_roles == []
    assert only_removes(old, new)


@given(texts, st.sampled_from(people))
def test_a_text_without_somebody_is_the_same_for_everybody_else(
    old: AgreementText, person: UUID
) -> None:
    new = without_person(old, person)
    assert person not in new.people()
    for other in set(people) - {person}:
        assert new.readers_of(other) == old.readers_of(other)
    assert {**new.model_dump(), "parties": 0} == {**old.model_dump(), "parties": 0}
    assert only_removes(old, new) == (person in old.people())


def added(old: Disclosure, new: Disclosure) -> set[str]:
    """The fields of `new` that open what `old` keeps closed."""
    found = {f"/{k}" for k in RecordKind if not set(getattr(new, k)) <= set(getattr(old, k))}
    for name in ("counts_in_statistics", "peripheral_members"):
        if getattr(new, name) > getattr(old, name):
            found.add(f"/{name}")
    if RANK[new.former_parties] > RANK[old.former_parties]:
        found.add("/former_parties")
    return found


@given(terms, terms)
def test_narrowing_names_every_field_that_it_would_open(old: Disclosure, new: Disclosure) -> None:
    wider = added(old, new)
    if not wider:
        check_narrower(old, new)
        return
    with pytest.raises(Invalid) as refused:
        check_narrower(old, new)
    assert {error["pointer"] for error in refused.value.errors} == wider


@given(terms, terms)
def test_what_both_of_two_terms_tick_is_narrower_than_either(
    one: Disclosure, other: Disclosure
) -> None:
    both = Disclosure(
        **{kind: sorted(one.ticks(kind) & other.ticks(kind)) for kind in RecordKind},
        counts_in_statistics=one.counts_in_statistics and other.counts_in_statistics,
        peripheral_members=one.peripheral_members and other.peripheral_members,
        former_parties=min(one.former_parties, other.former_parties, key=RANK.__getitem__),
    )
    for terms_before in (one, other, both):
        check_narrower(terms_before, both)


def test_every_field_of_the_terms_can_be_narrowed() -> None:
    """A new field of the terms would pass unseen through a narrowing, and widen by one hand."""
    narrowest: dict[str, Any] = {
        **{kind: [] for kind in RecordKind},
        "existence": list(PARTY_READERS),
        "text": list(PARTY_READERS),
        "counts_in_statistics": False,
        "peripheral_members": False,
        "former_parties": "nothing",
    }
    widest: dict[str, Any] = {
        **{kind: list(Reader) for kind in RecordKind},
        "existence": [r for r in Reader if r is not Reader.NETWORKS],
        "text": [r for r in Reader if r is not Reader.NETWORKS],
        "counts_in_statistics": True,
        "peripheral_members": True,
        "former_parties": "their_time",
    }
    assert set(narrowest) == set(widest) == set(Disclosure.model_fields)
    with pytest.raises(Invalid) as refused:
        check_narrower(Disclosure(**narrowest), Disclosure(**widest))
    assert {e["pointer"] for e in refused.value.errors} == {f"/{name}" for name in widest}
    check_narrower(Disclosure(**widest), Disclosure(**narrowest))


@given(
    st.one_of(st.none(), st.sampled_from(FormerParties)),
    st.lists(st.sampled_from(FormerParties), max_size=5),
)
def test_what_is_kept_only_ever_becomes_less(
    kept: FormerParties | None, changes: list[FormerParties]
) -> None:
    found: str | None = kept
    for now in changes:
        found = keeps_less(found, now)
    if kept is None:
        assert found is None
    else:
        assert found == min([kept, *changes], key=RANK.__getitem__)
