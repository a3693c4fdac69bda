"""Whose word an affiliation waits for, and since when it counts; docs/decisions/affiliations.md.

Who is somewhere, or signs in by a way of their own, is asked before another organisation's
administrators read and write what is theirs. Whom nobody else has a say in yet is not.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, or_, select

from app.access import relations as r
from app.access.door import Access
from app.access.homes import learners_came
from app.access.identity_holders import of_person
from app.access.organisations import name_of
from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now, today
from app.core.db import Unit
from app.core.outbox import queue
from app.core.query import Query
from app.core.security_events import SecurityEvent, note
from app.core.sql import there_is
from app.core.tables import Id, Moment
from app.core.text import canonical_address
from app.models.organisations import Organisation
from app.models.people import Affiliation, Person, SignInIdentity

_identities: Any = SignInIdentity.__table__
_organisations: Any = Organisation.__table__
_affiliations: Any = Affiliation.__table__
_people: Any = Person.__table__
_person, _organisation = parameter("person_id", Id), parameter("organisation_id", Id)


def nobody_to_ask(person_id: Any, organisation_id: Any) -> ColumnElement[bool]:
    """Whether the person has accepted the organisation and has not left before today; or has no way in
    but what it brought itself, and is nowhere else."""
    here = r.affiliations.alias("here_already")
    way, place = _identities.alias("way_of_another"), r.affiliations.alias("place_elsewhere")
    of_another = there_is(
        way,
        way.c.person_id == person_id,
        way.c.closed_at.is_(None),
        or_(way.c.organisation_id.is_(None), way.c.organisation_id != organisation_id),
    )
    elsewhere = there_is(
        place,
        place.c.person_id == person_id,
        place.c.organisation_id != organisation_id,
        r.not_over(place),
    )
    accepted = there_is(
        here,
        here.c.person_id == person_id,
        here.c.organisation_id == organisation_id,
        here.c.accepted_at.is_not(None),
        # What ends today and begins today in another role, or by a slip, is one stay.
        or_(here.c.ends_on.is_(None), here.c.ends_on >= r.today),
    )
    return or_(accepted, and_(not_(of_another), not_(elsewhere)))


def waits(person_id: Any, organisation_id: Any) -> ColumnElement[bool]:
    """Whether the person has been affiliated to the organisation, and is to be asked first."""
    a = r.affiliations.alias("waiting")
    return and_(
        there_is(
            a,
            a.c.person_id == person_id,
            a.c.organisation_id == organisation_id,
            a.c.accepted_at.is_(None),
            r.not_past(a),
        ),
        not_(nobody_to_ask(person_id, organisation_id)),
    )


def _next_door() -> ColumnElement[bool]:
    """Whether the person is at the organisation directly above or below, and the caller administers it
    too: nobody but colleagues in one tree learns anything new."""
    a, o = r.affiliations.alias("next_door"), _organisations.alias("neighbour")
    above = select(_organisations.c.parent_id).where(_organisations.c.id == _organisation)
    return there_is(
        a.join(o, o.c.id == a.c.organisation_id),
        a.c.person_id == _person,
        r.not_over(a),
        or_(o.c.parent_id == _organisation, o.c.id == above.scalar_subquery()),
        r.administers(a.c.organisation_id),
    )


_COUNTS_AT_ONCE = Query(
    select(or_(nobody_to_ask(_person, _organisation), _next_door()).label("at_once")), scoped=True
)


async def counts_at_once(access: Access, person_id: UUID, organisation_id: UUID) -> bool:
    """Whether an affiliation that the caller writes counts without the person's own word."""
    found = await access.read(_COUNTS_AT_ONCE, person_id=person_id, organisation_id=organisation_id)
    return bool(found[0]["at_once"])


_ASKED_LATELY = Query(
    select(_affiliations.c.id)
    .where(
        _affiliations.c.person_id == _person,
        _affiliations.c.organisation_id == _organisation,
        _affiliations.c.accepted_at.is_(None),
        _affiliations.c.created_at > parameter("since", Moment),
    )
    .limit(1),
    unscoped="whether the person has been told; nobody is told that they have",
)
_ADDRESS = Query(
    select(_people.c.email).where(_people.c.id == _person),
    unscoped="the person's own address, for a message to themself",
)


async def tell_that_it_waits(unit: Unit, person_id: UUID, organisation_id: UUID) -> None:
    """A message to the person, once a day for each organisation, however often it asks."""
    values = {"person_id": person_id, "organisation_id": organisation_id}
    if await unit.rows(_ASKED_LATELY, {**values, "since": now() - timedelta(days=1)}):
        return
    addresses = {way.email for way in await of_person(unit, person_id) if way.email}
    if not addresses:
        # Who comes in by a provider has none there: that of the record, which others have typed.
        addresses = {
            canonical_address(row[0]) for row in await unit.rows(_ADDRESS, values) if row[0]
        }
    place = await name_of(unit, organisation_id)
    for address in sorted(addresses):
        await queue(unit, "affiliation_waits", address, organisation=place)


async def accept(unit: Unit, actor: journal.Actor, affiliation: Affiliation) -> None:
    """From now on the affiliation counts; its agreements are looked at."""
    affiliation.accepted_at = now()
    await answered(unit, SecurityEvent.AFFILIATION_ACCEPTED, actor, affiliation, "accepted_at")
    await learners_came(unit, affiliation.person_id, affiliation.organisation_id)


async def answered(
    unit: Unit,
    event: SecurityEvent,
    actor: journal.Actor,
    affiliation: Affiliation,
    changed: str,
) -> None:
    """Journals what a person has said to an affiliation, with its new version."""
    affiliation.touch()
    await unit.flush()
    await note(
        unit,
        event,
        actor=actor,
        resource_id=affiliation.id,
        version=affiliation.version,
        owner_id=affiliation.person_id,
        organisation_id=affiliation.organisation_id,
        changed=[changed],
    )


async def accept_waiting(
    unit: Unit, actor: journal.Actor, person_id: UUID, organisation_id: UUID
) -> None:
    """Accepts what waits at the organisation, for a person who has agreed to its way in."""
    found = await unit.session.scalars(
        select(Affiliation)
        .where(
            Affiliation.person_id == person_id,
            Affiliation.organisation_id == organisation_id,
            Affiliation.accepted_at.is_(None),
        )
        .order_by(Affiliation.id)
        .with_for_update()
        .execution_options(unscoped="the person's own, of the organisation whose way in it is")
    )
    for affiliation in found.all():
        if not affiliation.is_over(today()):
            await accept(unit, actor, affiliation)
