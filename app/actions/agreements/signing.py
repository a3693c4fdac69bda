"""Sign, decline, complete, end."""

from sqlalchemy import select

from app.access.grants import Relation
from app.actions.agreements.checks import problems_at_home
from app.actions.agreements.common import Agreement, journal_of, person_of, version_of
from app.core.clock import now
from app.core.errors import Conflict, Forbidden, Invalid
from app.models.agreement_text import (
    COACH_ROLES,
    OBLIGATIONS,
    AgreementText,
)
from app.models.agreements import (
    AgreementParty,
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    LearningAgreement,
    VersionState,
    terms_of,
)
from app.models.terms import READER_OF_ROLE


async def sign(owned: Agreement, *, digest: str, obligations: list[str]) -> None:
    """Signs the proposed text; the last signature makes the agreement active."""
    agreement, access = owned.entity, owned.access
    version, signature = await _asked(owned)
    if signature.signed_at is not None and signature.digest == digest:
        return  # sent again, perhaps after the last signature: it stands
    _on_the_table(agreement)
    if signature.signed_at is not None:
        raise Conflict("You have signed already.")
    if digest != version.digest:
        raise Invalid.field("/digest", "is not the digest of the proposed text: read it again")
    text = version.text
    me = person_of(access)
    if me in text.people(*COACH_ROLES) and set(obligations) != set(OBLIGATIONS):
        raise Invalid.field(
            "/obligations", f"a coach acknowledges all seven: {', '.join(OBLIGATIONS)}"
        )
    signature.signed_at, signature.digest = now(), digest
    signature.obligations = [o for o in OBLIGATIONS if o in obligations]
    agreement.touch()
    await journal_of(access, agreement, "signed")
    if await _all_signed(owned, version.number):
        await _enact(owned, version, text)


async def decline(owned: Agreement) -> None:
    """Declines a proposal, for everybody: what one does not sign does not come into force."""
    agreement, access = owned.entity, owned.access
    version, signature = await _asked(owned)
    _on_the_table(agreement)
    agreement.move(AgreementState.DECLINED)
    signature.declined_at = now()
    await journal_of(access, agreement, "declined")
    version.settle(VersionState.DECLINED)


async def complete(owned: Agreement) -> None:
    """A learner or a coach holds it complete; with both it is."""
    agreement = owned.entity
    done = agreement.complete(
        person_of(owned.access),
        as_learner=owned.held.is_any(Relation.LEARNER),
        as_coach=owned.held.is_any(Relation.COACH),
    )
    if done:
        agreement.over_at = now()
    await journal_of(owned.access, agreement, "completed" if done else "completion_proposed")


async def end(owned: Agreement) -> None:
    """Ends the agreement early: any party alone, without a reason."""
    agreement = owned.entity
    agreement.move(AgreementState.ENDED)
    agreement.over_at = now()
    await journal_of(owned.access, agreement, "ended")


async def _enact(owned: Agreement, version: AgreementVersion, text: AgreementText) -> None:
    """Every party has signed: the text becomes the policy."""
    agreement, unit = owned.entity, owned.access.unit
    if problems := await problems_at_home(owned.access, text):
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
    await journal_of(owned.access, agreement, "activated")


def _on_the_table(agreement: LearningAgreement) -> None:
    if agreement.state != AgreementState.PROPOSED:
        raise Conflict(f"The agreement is {agreement.state}; nothing is on the table to be signed.")


async def _asked(owned: Agreement) -> tuple[AgreementVersion, AgreementSignature]:
    """The version that is shown, and the caller's place on it."""
    agreement, access = owned.entity, owned.access
    version = await version_of(owned, agreement.shown_number)
    signature = await access.unit.session.get(
        AgreementSignature, (agreement.id, version.number, person_of(access))
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
