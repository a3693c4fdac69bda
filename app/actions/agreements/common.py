"""What the acts on an agreement share: its version, its journal, the person who acts."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.agreements import AGREEMENTS
from app.access.door import Access
from app.access.gates import Owned
from app.access.visibility import parameter
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.agreement_text import AgreementText
from app.models.agreements import (
    AgreementState,
    AgreementVersion,
    LearningAgreement,
)
from app.models.amendments import with_people
from app.models.people import Person

Agreement = Owned[LearningAgreement]


async def version_of(owned: Agreement, number: int) -> AgreementVersion:
    """One version of the agreement that is held."""
    found = await owned.access.unit.session.get(
        AgreementVersion, (owned.entity.id, number), execution_options={"scoped": True}
    )
    assert found is not None
    return found


_people: Any = Person.__table__
_JOINED_TO = Query(
    select(_people.c.joined_to).where(
        _people.c.id == parameter("id", Id), _people.c.joined_to.is_not(None)
    ),
    unscoped="whose record a record has gone into, for those who are parties with them",
)


async def text_today(owned: Agreement, version: AgreementVersion) -> AgreementText:
    """A version's text with its people as they are today: a record that was joined with another of the
    same person since it was signed is that one. Whose agreement goes on are not joined."""
    text = version.text
    if owned.entity.state == AgreementState.ACTIVE:
        return text
    now_is = {}
    for person_id in text.people():
        for (joined_to,) in await owned.access.unit.rows(_JOINED_TO, {"id": person_id}):
            now_is[person_id] = as_uuid(joined_to)
    return with_people(text, now_is) if now_is else text


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
