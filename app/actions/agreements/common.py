"""What the acts on an agreement share: its version, its journal, the person who acts."""

from uuid import UUID

from app.access.agreements import AGREEMENTS
from app.access.door import Access
from app.access.gates import Owned
from app.models.agreements import (
    AgreementVersion,
    LearningAgreement,
)

Agreement = Owned[LearningAgreement]


async def version_of(owned: Agreement, number: int) -> AgreementVersion:
    """One version of the agreement that is held."""
    found = await owned.access.unit.session.get(
        AgreementVersion, (owned.entity.id, number), execution_options={"scoped": True}
    )
    assert found is not None
    return found


def person_of(access: Access) -> UUID:
    """The person who acts."""
    assert access.caller.person_id is not None, "the grants let only people do this"
    return access.caller.person_id


async def journal_of(
    access: Access, agreement: LearningAgreement, action: str, changed: set[str] | None = None
) -> None:
    """Journals an act on the agreement."""
    await access.journal(
        action,
        AGREEMENTS.kind,
        agreement,
        changed=changed or (),
        agreement_id=agreement.id,
        organisation_id=agreement.home_organisation_id,
    )
