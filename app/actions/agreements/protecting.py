"""Protective acts: narrowing, leaving, detaching and ending need one hand, and no reason."""

from typing import Any
from uuid import UUID

from app.actions.agreements.amending import new_version, patched
from app.actions.agreements.common import (
    Agreement,
    journal_of,
    person_of,
    text_today,
    version_of,
)
from app.actions.agreements.enacting import close_amendment, replace
from app.core.clock import now
from app.core.errors import Conflict, Invalid
from app.models.agreement_text import AgreementText
from app.models.agreements import (
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    VersionAct,
    VersionState,
)
from app.models.amendments import check_narrower, without_person
from app.models.terms import PartyRole

_SIGNED = (AgreementState.ACTIVE, AgreementState.COMPLETED, AgreementState.ENDED)


async def narrow(owned: Agreement, patch: dict[str, Any]) -> None:
    """Takes away from the disclosure terms; every record under the agreement follows at once."""
    old = await _text_in_force(owned)
    terms = patched(old.disclosure, patch)
    check_narrower(old.disclosure, terms)
    if terms == old.disclosure:
        raise Invalid("Nothing is taken away.", errors=[{"pointer": "", "detail": "is as it was"}])
    await _act_alone(owned, old.model_copy(update={"disclosure": terms}), VersionAct.NARROWING)
    await journal_of(owned.access, owned.entity, "narrowed", {"disclosure"})


async def leave(owned: Agreement) -> None:
    """A party goes; without a learner the agreement is over."""
    agreement, me = owned.entity, person_of(owned.access)
    new = without_person(await _text_in_force(owned), me)
    await _act_alone(owned, new, VersionAct.DEPARTURE)
    if agreement.state == AgreementState.ACTIVE and not new.people(PartyRole.LEARNER):
        agreement.move(AgreementState.ENDED)
        agreement.over_at = now()
    await journal_of(owned.access, agreement, "left", {"parties"})


async def detach(owned: Agreement, network_id: UUID) -> None:
    """The agreement no longer names a network; what was shared with it comes back at once."""
    old = await _text_in_force(owned)
    if network_id not in old.networks:
        raise Invalid.field("/network_id", "is not a network that the agreement names")
    new = old.model_copy(update={"networks": [n for n in old.networks if n != network_id]})
    await _act_alone(owned, new, VersionAct.DETACHMENT)
    await journal_of(owned.access, owned.entity, "detached", {"networks"})


async def end(owned: Agreement) -> None:
    """Ends the agreement early."""
    agreement = owned.entity
    agreement.move(AgreementState.ENDED)
    agreement.over_at = now()
    await close_amendment(owned)
    await journal_of(owned.access, agreement, "ended")


async def _text_in_force(owned: Agreement) -> AgreementText:
    agreement = owned.entity
    if agreement.state not in _SIGNED:
        raise Conflict(f"The agreement is {agreement.state}; nothing of it is in force.")
    return await text_today(owned, await version_of(owned, agreement.shown_number))


async def _act_alone(owned: Agreement, text: AgreementText, act: VersionAct) -> None:
    """A version in force by one signature, readable by everybody who is a party to it."""
    access, me = owned.access, person_of(owned.access)
    version: AgreementVersion = await new_version(owned, text, act, VersionState.PROPOSED)
    for person_id in dict.fromkeys([me, *text.people()]):
        mine = person_id == me
        await access.unit.insert(
            AgreementSignature(
                agreement_id=owned.entity.id,
                number=version.number,
                person_id=person_id,
                asked=mine,
                signed_at=now() if mine else None,
                digest=version.digest if mine else None,
            )
        )
    await replace(owned, version, text)
