"""Writes of learning agreements: draft, propose, sign, decline, withdraw, complete, end."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select

from app.access.agreements import AGREEMENTS
from app.access.claims import Claim
from app.access.door import Access, Owned
from app.access.people import PEOPLE
from app.access.relations import any_of, current
from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.http import invalid_body
from app.core.query import Query
from app.core.tables import Id
from app.core.wire import merged
from app.models.agreement_text import COACH_ROLES, OBLIGATIONS, AgreementText, canonical, digest_of
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    LearningAgreement,
    VersionState,
    terms_of,
)
from app.models.organisations import Organisation
from app.models.people import LEADER_ROLES, Affiliation
from app.models.terms import READER_OF_ROLE, FormerParties, PartyRole

Agreement = Owned[LearningAgreement]

_affiliations: Any = Affiliation.__table__
_organisations: Any = Organisation.__table__

_ORGANISATION = Query(
    select(_organisations.c.id).where(_organisations.c.id == parameter("organisation_id", Id))
)
_AT = (
    _affiliations.c.person_id == parameter("person_id", Id),
    _affiliations.c.organisation_id == parameter("organisation_id", Id),
    current(_affiliations),
)
_AFFILIATED = Query(
    select(_affiliations.c.id).where(*_AT), unscoped="whether a learner is at the home organisation"
)
_LEADS = Query(
    select(_affiliations.c.id).where(*_AT, any_of(_affiliations.c.role, LEADER_ROLES)),
    unscoped="whether a supporting party leads the home organisation, which the text must say",
)


async def draft_agreement(access: Access, claim: Claim, text: AgreementText) -> None:
    """A draft; its drafter is a learner or a coach of it."""
    me = _person(access)
    _drafter_is_party(me, text)
    await _check_references(access, text)
    moment = now()
    agreement = LearningAgreement(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        created_by=me,
        state=AgreementState.DRAFT,
        shown_number=1,
        home_organisation_id=text.home_organisation_id,
        former_parties=FormerParties.OWN,
        existence_to_leaders=False,
        existence_to_systems=False,
        text_to_leaders=False,
        text_to_systems=False,
        creation_digest=claim.digest,
    )
    await access.unit.insert(agreement)
    await _insert_draft(access, agreement, 1, canonical(text))
    await _journal(access, agreement, "drafted")


async def redraft(owned: Agreement, patch: dict[str, Any]) -> None:
    """Changes the text of a draft by a merge patch."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.DRAFT:
        raise Conflict(f"The agreement is {agreement.state}; only a draft is changed like this.")
    version = await _version(owned, agreement.shown_number)
    before = version.text
    whole = merged(before.model_dump(mode="json"), patch)
    try:
        text = AgreementText.model_validate(whole)
    except ValidationError as error:
        raise invalid_body(error, whole) from error
    changed = {name for name in patch if getattr(before, name) != getattr(text, name)}
    if not changed:
        return
    _drafter_is_party(_person(access), text)
    await _check_references(access, text)
    version.text = text
    agreement.home_organisation_id = text.home_organisation_id
    agreement.touch()
    await _journal(access, agreement, "redrafted", changed)


async def discard(owned: Agreement) -> None:
    """Deletes a draft that was never proposed; a text that others have seen is kept."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.DRAFT or agreement.proposed_at is not None:
        raise Conflict("Only a draft that was never proposed can be deleted.")
    await access.unit.session.delete(agreement)
    await _journal(access, agreement, "deleted")


async def propose_agreement(owned: Agreement) -> None:
    """Puts the draft before everybody whom it names; its text is fixed by a digest."""
    agreement, access = owned.entity, owned.access
    agreement.move(AgreementState.PROPOSED)
    version = await _version(owned, agreement.shown_number)
    text = version.text
    problems = [*text.problems(), *await _problems_at_home(access, text)]
    if problems:
        raise Invalid("The draft is not ready to be proposed; `errors` says why.", errors=problems)
    await _check_references(access, text)
    moment = now()
    agreement.proposed_at = moment
    version.state = VersionState.PROPOSED
    version.proposed_at = moment
    version.digest = digest_of(agreement.id, version.number, version.content)
    await access.unit.flush()
    for person_id in text.people():
        await access.unit.insert(
            AgreementSignature(
                agreement_id=agreement.id, number=version.number, person_id=person_id
            )
        )
    await _journal(access, agreement, "proposed")


async def withdraw(owned: Agreement) -> None:
    """Takes a proposal back; a new draft begins with its text, the proposal itself is kept."""
    agreement, access = owned.entity, owned.access
    agreement.move(AgreementState.DRAFT)
    version = await _version(owned, agreement.shown_number)
    version.settle(VersionState.WITHDRAWN)
    agreement.shown_number += 1
    await access.unit.flush()
    await _insert_draft(access, agreement, agreement.shown_number, version.content)
    await _journal(access, agreement, "withdrawn")


async def sign(owned: Agreement, *, digest: str, obligations: list[str]) -> None:
    """Signs the proposed text; the last signature makes the agreement active."""
    agreement, access = owned.entity, owned.access
    version, signature = await _asked(owned)
    if signature.signed_at is not None:
        if signature.digest == digest:
            return
        raise Conflict("You have signed already.")
    if digest != version.digest:
        raise Invalid.field("/digest", "is not the digest of the proposed text: read it again")
    text = version.text
    me = _person(access)
    if me in text.people(*COACH_ROLES) and set(obligations) != set(OBLIGATIONS):
        raise Invalid.field(
            "/obligations", f"a coach acknowledges all seven: {', '.join(OBLIGATIONS)}"
        )
    signature.signed_at, signature.digest = now(), digest
    signature.obligations = [o for o in OBLIGATIONS if o in obligations]
    agreement.touch()
    await _journal(access, agreement, "signed")
    if await _all_signed(owned, version.number):
        await _enact(owned, version, text)


async def decline(owned: Agreement) -> None:
    """Declines a proposal, for everybody: what one does not sign does not come into force."""
    agreement, access = owned.entity, owned.access
    version, signature = await _asked(owned)
    agreement.move(AgreementState.DECLINED)
    signature.declined_at = now()
    version.settle(VersionState.DECLINED)
    await _journal(access, agreement, "declined")


async def complete(owned: Agreement) -> None:
    """Ends the agreement as planned."""
    await _finish(owned, AgreementState.COMPLETED)


async def end(owned: Agreement) -> None:
    """Ends the agreement early: any party alone, without a reason."""
    await _finish(owned, AgreementState.ENDED)


async def _finish(owned: Agreement, state: AgreementState) -> None:
    agreement = owned.entity
    agreement.move(state)
    agreement.over_at = now()
    await _journal(owned.access, agreement, str(state))


async def _enact(owned: Agreement, version: AgreementVersion, text: AgreementText) -> None:
    """Every party has signed: the text becomes the policy."""
    agreement, unit = owned.entity, owned.access.unit
    if problems := await _problems_at_home(owned.access, text):
        raise Conflict(f"The agreement cannot come into force: {problems[0]['detail']}.")
    moment = now()
    agreement.move(AgreementState.ACTIVE)
    agreement.enact(text)
    agreement.active_at = moment
    version.settle(VersionState.IN_FORCE)
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
    for term in terms_of(agreement.id, text):
        await unit.insert(term)
    await _journal(owned.access, agreement, "activated")


async def _insert_draft(
    access: Access, agreement: LearningAgreement, number: int, content: dict[str, Any]
) -> None:
    await access.unit.insert(
        AgreementVersion(
            agreement_id=agreement.id,
            number=number,
            state=VersionState.DRAFT,
            content=content,
            created_by=_person(access),
            created_at=now(),
        )
    )


async def _version(owned: Agreement, number: int) -> AgreementVersion:
    found = await owned.access.unit.session.get(
        AgreementVersion, (owned.entity.id, number), execution_options={"scoped": True}
    )
    assert found is not None
    return found


async def _asked(owned: Agreement) -> tuple[AgreementVersion, AgreementSignature]:
    """The proposal on the table, and the caller's place on it."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.PROPOSED:
        raise Conflict(f"The agreement is {agreement.state}; nothing is on the table to be signed.")
    version = await _version(owned, agreement.shown_number)
    signature = await access.unit.session.get(
        AgreementSignature, (agreement.id, version.number, _person(access))
    )
    if signature is None:
        raise Forbidden("The proposal does not name you.")
    return version, signature


async def _all_signed(owned: Agreement, number: int) -> bool:
    await owned.access.unit.flush()
    missing = await owned.access.unit.session.scalars(
        select(AgreementSignature.person_id)
        .where(
            AgreementSignature.agreement_id == owned.entity.id,
            AgreementSignature.number == number,
            AgreementSignature.signed_at.is_(None),
        )
        .limit(1)
    )
    return missing.first() is None


def _person(access: Access) -> UUID:
    assert access.caller.person_id is not None, "the grants let only people do this"
    return access.caller.person_id


def _drafter_is_party(me: UUID, text: AgreementText) -> None:
    if me not in text.people(PartyRole.LEARNER, *COACH_ROLES):
        raise Invalid.field("/parties", "must name you, as a learner or a coach")


async def _check_references(access: Access, text: AgreementText) -> None:
    """Everything that the text names must be there and visible to who writes it."""
    for index, party in enumerate(text.parties):
        if await access.find(PEOPLE, party.person_id) is None:
            raise Invalid.field(f"/parties/{index}/person_id", "names nobody whom you can see")
    home = text.home_organisation_id
    if home is not None and not await access.unit.rows(_ORGANISATION, {"organisation_id": home}):
        raise Invalid.field("/home_organisation_id", "names no organisation")


async def _problems_at_home(access: Access, text: AgreementText) -> list[dict[str, str]]:
    """What the home organisation asks for: its learners are there, and double roles are said."""
    home = text.home_organisation_id
    if home is None:
        return []
    found = []
    at_home = [
        person_id
        for person_id in text.people(PartyRole.LEARNER)
        if await access.read(_AFFILIATED, person_id=person_id, organisation_id=home)
    ]
    if not at_home:
        found.append(
            {
                "pointer": "/home_organisation_id",
                "detail": "a learner must be affiliated there today",
            }
        )
    declared = {dual.person_id for dual in text.dual_roles}
    for index, party in enumerate(text.parties):
        if party.role is PartyRole.LEARNER or party.person_id in declared:
            continue
        if await access.read(_LEADS, person_id=party.person_id, organisation_id=home):
            found.append(
                {
                    "pointer": f"/parties/{index}",
                    "detail": "leads the home organisation: dual_roles must say so before anyone signs",
                }
            )
    return found


async def _journal(
    access: Access, agreement: LearningAgreement, action: str, changed: set[str] | None = None
) -> None:
    await access.unit.flush()
    await journal.record(
        access.unit,
        actor=access.caller.actor,
        action=action,
        kind=AGREEMENTS.kind,
        resource_id=agreement.id,
        version=agreement.version,
        agreement_id=agreement.id,
        organisation_id=agreement.home_organisation_id,
        changed=changed or (),
    )
