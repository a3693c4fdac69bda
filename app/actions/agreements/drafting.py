"""Draft, change, delete, propose, withdraw."""

from typing import Any

from app.access.claims import Claim
from app.access.door import Access
from app.actions.agreements.amending import patched
from app.actions.agreements.checks import check_references, drafter_is_party, problems_at_home
from app.actions.agreements.common import Agreement, journal_of, person_of, version_of
from app.core.clock import now
from app.core.errors import Conflict, Invalid
from app.models.agreement_text import (
    AgreementText,
    canonical,
    digest_of,
)
from app.models.agreements import (
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    LearningAgreement,
    VersionAct,
    VersionState,
)
from app.models.terms import FormerParties


async def draft_agreement(access: Access, claim: Claim, text: AgreementText) -> None:
    """A draft; its drafter is a learner or a coach of it."""
    me = person_of(access)
    drafter_is_party(me, text)
    await check_references(access, text)
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
        peripheral_members=False,
        existence_to_leaders=False,
        existence_to_systems=False,
        text_to_leaders=False,
        text_to_systems=False,
        creation_digest=claim.digest,
    )
    await access.unit.insert(agreement)
    await _insert_draft(access, agreement, 1, canonical(text))
    await journal_of(access, agreement, "drafted")


async def redraft(owned: Agreement, patch: dict[str, Any]) -> None:
    """Changes the text of a draft by a merge patch."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.DRAFT:
        raise Conflict(f"The agreement is {agreement.state}; only a draft is changed like this.")
    version = await version_of(owned, agreement.shown_number)
    before = version.text
    text = patched(before, patch)
    changed = {name for name in patch if getattr(before, name) != getattr(text, name)}
    if not changed:
        return
    drafter_is_party(person_of(access), text)
    await check_references(access, text)
    version.text = text
    agreement.home_organisation_id = text.home_organisation_id
    agreement.touch()
    await journal_of(access, agreement, "redrafted", changed)


async def discard(owned: Agreement) -> None:
    """Deletes a draft that was never proposed; a text that others have seen is kept."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.DRAFT or agreement.proposed_at is not None:
        raise Conflict("Only a draft that was never proposed can be deleted.")
    await access.unit.session.delete(agreement)
    await journal_of(access, agreement, "deleted")


async def propose_agreement(owned: Agreement) -> None:
    """Puts the draft before everybody whom it names; its text is fixed by a digest."""
    agreement, access = owned.entity, owned.access
    agreement.move(AgreementState.PROPOSED)
    version = await version_of(owned, agreement.shown_number)
    text = version.text
    await check_references(access, text)
    problems = [*text.problems(), *await problems_at_home(access, text)]
    if problems:
        raise Invalid("The draft is not ready to be proposed; `errors` says why.", errors=problems)
    moment = now()
    agreement.proposed_at = moment
    version.state = VersionState.PROPOSED
    version.proposed_at = moment
    version.digest = digest_of(agreement.id, version.number, version.content)
    await access.unit.flush()
    for person_id in text.people():
        await access.unit.insert(
            AgreementSignature(
                agreement_id=agreement.id,
                number=version.number,
                person_id=person_id,
                asked=True,
            )
        )
    await journal_of(access, agreement, "proposed")


async def withdraw(owned: Agreement) -> None:
    """Takes a proposal back; a new draft begins with its text, the proposal itself is kept. Of an
    active agreement: takes the amendment back."""
    agreement, access = owned.entity, owned.access
    if agreement.state == AgreementState.ACTIVE:
        await _withdraw_amendment(owned)
        return
    agreement.move(AgreementState.DRAFT)
    version = await version_of(owned, agreement.shown_number)
    agreement.shown_number += 1
    # Journaled within the old version's time: those who were asked to sign it see that it is gone.
    await journal_of(access, agreement, "withdrawn")
    version.settle(VersionState.WITHDRAWN)
    await access.unit.flush()
    await _insert_draft(access, agreement, agreement.shown_number, version.content)


async def _withdraw_amendment(owned: Agreement) -> None:
    agreement = owned.entity
    if agreement.on_the_table is None:
        raise Conflict("No amendment is on the table.")
    version = await version_of(owned, agreement.on_the_table)
    agreement.close_amendment()
    agreement.touch()
    await journal_of(owned.access, agreement, "withdrawn")
    version.settle(VersionState.WITHDRAWN)


async def _insert_draft(
    access: Access, agreement: LearningAgreement, number: int, content: dict[str, Any]
) -> None:
    await access.unit.insert(
        AgreementVersion(
            agreement_id=agreement.id,
            number=number,
            act=VersionAct.AGREEMENT,
            state=VersionState.DRAFT,
            content=content,
            created_by=person_of(access),
            created_at=now(),
        )
    )
