"""A text comes into force: its parties, its terms, its networks, and the ticks of the records."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.access import ticking
from app.access.homes import learners_may_be_there
from app.actions.agreements.common import Agreement, text_today, version_of
from app.core.clock import now
from app.models.agreement_text import COACH_ROLES, AgreementText
from app.models.agreements import (
    AgreementNetwork,
    AgreementParty,
    AgreementState,
    AgreementTerm,
    AgreementVersion,
    LearningAgreement,
    VersionAct,
    VersionState,
    terms_of,
)
from app.models.amendments import keeps_less
from app.models.terms import READER_OF_ROLE, FormerParties, PartyRole


async def found(owned: Agreement, version: AgreementVersion, text: AgreementText) -> None:
    """The first text comes into force: everybody in it has signed."""
    agreement, unit, moment = owned.entity, owned.access.unit, now()
    version.settle(VersionState.IN_FORCE)
    agreement.enact(text, version.number, by_all=True)
    agreement.active_at = moment
    await unit.flush()
    for party in text.parties:
        await unit.insert(
            AgreementParty(
                agreement_id=agreement.id,
                person_id=party.person_id,
                role=party.role,
                reader=READER_OF_ROLE[party.role],
                since=moment,
                earlier_records=True,
            )
        )
    for term in terms_of(agreement.id, text, version.number):
        await unit.insert(term)
    await _name_networks(owned, text)
    # As long as nobody was a party, the sweep found no learner at the home organisation.
    await learners_may_be_there(unit, agreement.id)


async def replace(owned: Agreement, version: AgreementVersion, text: AgreementText) -> None:
    """A version takes the place of the one in force, in one transaction.

    What it narrows is narrowed on every record at once; what it widens touches no record that is
    there.
    """
    agreement, unit, moment = owned.entity, owned.access.unit, now()
    replaced = await version_of(owned, agreement.shown_number)
    old = await text_today(owned, replaced)
    replaced.settle(VersionState.SUPERSEDED)
    await close_amendment(owned, unless=version.number)
    version.settle(VersionState.IN_FORCE)
    agreement.enact(text, version.number, by_all=version.act == VersionAct.AMENDMENT)
    await _change_parties(owned, old, text, left_at=replaced.number, moment=moment)
    _forget_who_has_gone(agreement, text)
    terms = await unit.session.scalars(
        select(AgreementTerm).where(AgreementTerm.agreement_id == agreement.id)
    )
    wanted = {term.kind: term for term in terms_of(agreement.id, text, version.number)}
    for term in terms:
        term.tick(wanted[term.kind].readers)
        term.to_networks, term.number = wanted[term.kind].to_networks, version.number
    await _name_networks(owned, text)
    await unit.flush()
    await ticking.narrow(owned.access, agreement.id, old, text)
    await learners_may_be_there(unit, agreement.id)


async def close_amendment(owned: Agreement, *, unless: int | None = None) -> None:
    """An open amendment lapses: its time has passed, or another act has overtaken it."""
    agreement = owned.entity
    if agreement.amendment_number not in (None, unless):
        assert agreement.amendment_number is not None
        amendment = await version_of(owned, agreement.amendment_number)
        amendment.settle(VersionState.LAPSED)
        agreement.close_amendment()


async def _change_parties(
    owned: Agreement, old: AgreementText, new: AgreementText, *, left_at: int, moment: datetime
) -> None:
    agreement, access = owned.entity, owned.access
    rows: list[Any] = list(
        await access.unit.session.scalars(
            select(AgreementParty).where(AgreementParty.agreement_id == agreement.id)
        )
    )
    current = {(row.person_id, row.role): row for row in rows if row.until is None}
    wanted = {(party.person_id, party.role): party for party in new.parties}
    signed = {(party.person_id, party.role): party.earlier_records for party in old.parties}
    keeps = old.disclosure.former_parties
    await ticking.keep_less(access, agreement.id, new.disclosure.former_parties)
    # Who goes keeps what the terms say that they leave under, and never more than those that follow.
    kept = FormerParties(keeps_less(keeps, new.disclosure.former_parties) or keeps)
    for person_id in {person for person, _ in current} - set(new.people()):
        await ticking.keep(access, agreement.id, person_id, kept)
    for person_id in set(old.people(PartyRole.LEARNER)) - set(new.people(PartyRole.LEARNER)):
        await ticking.close_to_outsiders(access, agreement.id, person_id)
    for key, row in current.items():
        if key not in wanted:
            row.until, row.until_number, row.keeps = moment, left_at, keeps
        elif wanted[key].earlier_records != signed[key]:
            row.earlier_records = wanted[key].earlier_records
    for row in rows:
        row.keeps = keeps_less(row.keeps, new.disclosure.former_parties)
    for key in wanted.keys() - current.keys():
        await _join(owned, rows, wanted[key], moment)


async def _join(owned: Agreement, rows: list[Any], party: Any, moment: datetime) -> None:
    reader = READER_OF_ROLE[party.role]
    # Another role in the same class of reader takes nothing away of what they read.
    same = [
        row.since
        for row in rows
        if row.person_id == party.person_id and row.reader == reader and row.until in (None, moment)
    ]
    values = {
        "since": min(same, default=moment),
        "earlier_records": party.earlier_records,
        "until": None,
        "until_number": None,
        "keeps": None,
    }
    key = (party.person_id, party.role)
    before = next((row for row in rows if (row.person_id, row.role) == key), None)
    if before is not None:
        for name, value in values.items():
            setattr(before, name, value)
        return
    await owned.access.unit.insert(
        AgreementParty(
            agreement_id=owned.entity.id,
            person_id=party.person_id,
            role=party.role,
            reader=reader,
            **values,
        )
    )


def _forget_who_has_gone(agreement: LearningAgreement, text: AgreementText) -> None:
    """A learner and a coach of the agreement complete it: not the word of one who is neither now."""
    if agreement.state != AgreementState.ACTIVE:
        return
    if agreement.learner_completed_by not in text.people(PartyRole.LEARNER):
        agreement.learner_completed_at = agreement.learner_completed_by = None
    if agreement.coach_completed_by not in text.people(*COACH_ROLES):
        agreement.coach_completed_at = agreement.coach_completed_by = None


async def _name_networks(owned: Agreement, text: AgreementText) -> None:
    unit, agreement_id = owned.access.unit, owned.entity.id
    rows: Any = await unit.session.scalars(
        select(AgreementNetwork).where(AgreementNetwork.agreement_id == agreement_id)
    )
    named = {row.network_id: row for row in rows}
    for network_id in named.keys() - set(text.networks):
        await unit.session.delete(named[network_id])
    for network_id in set(text.networks) - named.keys():
        await unit.insert(AgreementNetwork(agreement_id=agreement_id, network_id=network_id))
