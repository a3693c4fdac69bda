"""Sign, decline, withdraw what is on the table: a proposal, or an amendment; complete."""

from sqlalchemy import select

from app.access.grants import Relation
from app.actions.agreements.checks import problems_at_home
from app.actions.agreements.common import Agreement, journal_of, person_of, version_of
from app.actions.agreements.enacting import close_amendment, found, replace
from app.core.clock import now
from app.core.errors import Conflict, Forbidden, Invalid
from app.models.agreement_text import (
    COACH_ROLES,
    OBLIGATIONS,
    AgreementText,
)
from app.models.agreements import (
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    VersionState,
)


async def sign(owned: Agreement, *, digest: str, obligations: list[str]) -> None:
    """Signs the text on the table; the last signature brings it into force."""
    agreement, access = owned.entity, owned.access
    if await _signed_before(owned, digest):
        return  # sent again, perhaps after the last signature: it stands
    version, signature = await _asked(owned)
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
    """Declines what is on the table, for everybody: what one does not sign does not come into force."""
    agreement, access = owned.entity, owned.access
    version, signature = await _asked(owned)
    if agreement.state == AgreementState.PROPOSED:
        agreement.move(AgreementState.DECLINED)
    agreement.close_amendment()
    agreement.touch()
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
        await close_amendment(owned)
    await journal_of(owned.access, agreement, "completed" if done else "completion_proposed")


async def _enact(owned: Agreement, version: AgreementVersion, text: AgreementText) -> None:
    """Everybody who was asked has signed: the text becomes the policy."""
    agreement, access = owned.entity, owned.access
    amends = agreement.state == AgreementState.ACTIVE
    rehomed = not amends or agreement.home_organisation_id != text.home_organisation_id
    problems = await problems_at_home(access, text, learners_must_be_there=rehomed)
    if problems:
        raise Conflict(f"The agreement cannot come into force: {problems[0]['detail']}.")
    if amends:
        await replace(owned, version, text)
    else:
        agreement.move(AgreementState.ACTIVE)
        await found(owned, version, text)
    await journal_of(access, agreement, "amended" if amends else "activated")


async def _signed_before(owned: Agreement, digest: str) -> bool:
    found = await owned.access.unit.session.scalars(
        select(AgreementSignature.number).where(
            AgreementSignature.agreement_id == owned.entity.id,
            AgreementSignature.person_id == person_of(owned.access),
            AgreementSignature.digest == digest,
        )
    )
    return found.first() is not None


async def _asked(owned: Agreement) -> tuple[AgreementVersion, AgreementSignature]:
    """The version that is on the table, and the caller's place on it."""
    agreement, access = owned.entity, owned.access
    number = agreement.on_the_table
    if number is None:
        raise Conflict(f"The agreement is {agreement.state}; nothing is on the table to be signed.")
    version = await version_of(owned, number)
    signature = await access.unit.session.get(
        AgreementSignature, (agreement.id, version.number, person_of(access))
    )
    if signature is None or not signature.asked:
        raise Forbidden("What is on the table does not ask for your signature.")
    return version, signature


async def _all_signed(owned: Agreement, number: int) -> bool:
    await owned.access.unit.flush()
    missing = await owned.access.unit.session.scalars(
        select(AgreementSignature.person_id)
        .where(
            AgreementSignature.agreement_id == owned.entity.id,
            AgreementSignature.number == number,
            AgreementSignature.asked,
            AgreementSignature.signed_at.is_(None),
        )
        .limit(1)
    )
    return missing.first() is None
