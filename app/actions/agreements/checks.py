"""What must hold of a text before it is written, proposed or comes into force."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.door import Access
from app.access.networks import NETWORKS
from app.access.people import PEOPLE
from app.access.relations import any_of, current
from app.access.visibility import parameter
from app.core.errors import Invalid
from app.core.query import Query
from app.core.tables import Id
from app.models.agreement_text import (
    COACH_ROLES,
    AgreementText,
    DualRelation,
)
from app.models.organisations import Organisation
from app.models.people import LEADER_ROLES, Affiliation
from app.models.terms import PartyRole

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


async def check_references(access: Access, text: AgreementText) -> None:
    """Everything that the text names must be there and visible to who writes it."""
    for index, party in enumerate(text.parties):
        if await access.find(PEOPLE, party.person_id) is None:
            raise Invalid.field(f"/parties/{index}/person_id", "names nobody whom you can see")
    home = text.home_organisation_id
    if home is not None and not await access.unit.rows(_ORGANISATION, {"organisation_id": home}):
        raise Invalid.field("/home_organisation_id", "names no organisation")
    for index, network_id in enumerate(text.networks):
        if await access.find(NETWORKS, network_id) is None:
            raise Invalid.field(f"/networks/{index}", "names no network that you can see")


async def problems_at_home(
    access: Access, text: AgreementText, *, learners_must_be_there: bool = True
) -> list[dict[str, str]]:
    """What the home organisation asks for: its learners are there, and double roles are said.

    An amendment that leaves the home as it is asks nobody to be there still.
    """
    home = text.home_organisation_id
    if home is None:
        return []
    found = []
    at_home = [
        person_id
        for person_id in text.people(PartyRole.LEARNER)
        if await access.read(_AFFILIATED, person_id=person_id, organisation_id=home)
    ]
    if not at_home and learners_must_be_there:
        found.append(
            {
                "pointer": "/home_organisation_id",
                "detail": "a learner must be affiliated there today",
            }
        )
    said = {
        (d.person_id, d.learner_id) for d in text.dual_roles if d.relation is DualRelation.LEADS
    }
    for index, party in enumerate(text.parties):
        if party.role is PartyRole.LEARNER:
            continue
        unsaid = [learner for learner in at_home if (party.person_id, learner) not in said]
        if unsaid and await access.read(_LEADS, person_id=party.person_id, organisation_id=home):
            found.append(
                {
                    "pointer": f"/parties/{index}",
                    "detail": "leads the home organisation: dual_roles must say so, for each learner "
                    "there, before anyone signs",
                }
            )
    return found


def drafter_is_party(me: UUID, text: AgreementText) -> None:
    """Who drafts is a learner or a coach of it."""
    if me not in text.people(PartyRole.LEARNER, *COACH_ROLES):
        raise Invalid.field("/parties", "must name you, as a learner or a coach")
