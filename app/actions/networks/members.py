"""Writes of a network's members: add, ask to join, confirm, change, end."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.grants import Relation
from app.access.network_members import NETWORK_MEMBERS, network_state, overlapping
from app.access.people import PEOPLE
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.query import Query
from app.core.tables import Id
from app.models.networks import Network, NetworkMember, NetworkRole
from app.models.organisations import Organisation

ASKING_ROLES = (NetworkRole.MEMBER, NetworkRole.PERIPHERAL)
"""What a person may ask to be."""
ORGANISATION_ROLES = (NetworkRole.LEAD, NetworkRole.SPECIALIST, NetworkRole.MEMBER)
"""What an organisation can be in a network; none of them gives a person any right."""

_CLOSED = "The network is closed: nobody joins it any more."

_organisations: Any = Organisation.__table__
_EXISTS = Query(select(_organisations.c.id).where(_organisations.c.id == parameter("id", Id)))


async def add_member(
    owned: Owned[Network],
    claim: Claim,
    *,
    person_id: UUID | None,
    organisation_id: UUID | None,
    role: NetworkRole,
    starts_on: date | None,
    ends_on: date | None,
) -> None:
    """A person or an organisation for the network; for themself a person can only ask."""
    access, network = owned.access, owned.entity
    asks = person_id is not None and person_id == access.caller.person_id
    moment = now()
    member = NetworkMember(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        network_id=network.id,
        person_id=person_id,
        organisation_id=organisation_id,
        role=role,
        starts_on=starts_on or today(),
        ends_on=ends_on,
        confirmed_at=None if asks else moment,
        created_by=access.caller.person_id,
        creation_digest=claim.digest,
    )
    if (person_id is None) == (organisation_id is None):
        field = "person_id" if person_id is None else "organisation_id"
        raise Invalid.field(f"/{field}", "name one person or one organisation")
    _check_dates(member)
    state = await network_state(access, network.id, without=claim.id)
    if not state.open:
        raise Conflict(_CLOSED)
    appoints = False
    if asks:
        if role not in ASKING_ROLES:
            raise Forbidden("Nobody gives themself a role: ask to join as member or peripheral.")
    else:
        appoints = _check_may_add(owned, member, led=state.led)
        await _check_who(access, member)
    if appoints:
        await _end_what_is_there(access, network.id, member)
    await _check_days(access, network.id, member)
    await access.unit.insert(member)
    await _journal(access, "created", member)


def _check_may_add(owned: Owned[Network], member: NetworkMember, *, led: bool) -> bool:
    """Forbidden unless the caller may add this member; whether they do so for the operator."""
    held = owned.held
    leads = member.role == NetworkRole.LEAD
    if leads and member.person_id is not None and not led and held.is_any(Relation.OPERATOR):
        return True
    if not held.is_any(Relation.LEAD, Relation.FACILITATOR):
        raise Forbidden(
            f"This is for {Relation.LEAD} or {Relation.FACILITATOR}; you may ask to join yourself."
        )
    if leads:
        _check_leads(held.is_any(Relation.LEAD))
    return False


async def _check_who(access: Access, member: NetworkMember) -> None:
    if member.organisation_id is not None:
        if not await access.unit.rows(_EXISTS, {"id": member.organisation_id}):
            raise Invalid.field("/organisation_id", "names no organisation")
        _check_role(member)
    elif member.person_id is None or await access.find(PEOPLE, member.person_id) is None:
        raise Invalid.field("/person_id", "names nobody whom you can see")


async def _end_what_is_there(access: Access, network_id: UUID, member: NetworkMember) -> None:
    """Whom the operator appoints may be in the network: that place ends where the new one begins."""
    for id_ in await overlapping(access, network_id, member):
        found = await access.unit.session.execute(
            select(NetworkMember)
            .where(NetworkMember.id == id_)
            .execution_options(unscoped="the place that an appointed lead had before")
        )
        await _end(access, found.scalar_one(), member.starts_on)


async def confirm_member(owned: Owned[NetworkMember]) -> None:
    """Makes a member of a person who has asked to join."""
    member, access = owned.entity, owned.access
    if member.confirmed_at is not None:
        raise Conflict("This membership is confirmed already.")
    _check_not_own(member, access)
    _check_not_over(member)
    if member.role == NetworkRole.LEAD:
        _check_leads(owned.held.is_any(Relation.LEAD))
    if not (await network_state(access, member.network_id, without=member.id)).open:
        raise Conflict(_CLOSED)
    member.confirmed_at = now()
    member.touch()
    await _journal(access, "confirmed", member, {"confirmed_at"})


async def change_member(owned: Owned[NetworkMember], values: Mapping[str, Any]) -> None:
    """Changes somebody else's role or last day; what is over stays as it was.

    Who changes a lead is another lead, today: so one remains without looking.
    """
    member, access = owned.entity, owned.access
    changed = {name for name, value in values.items() if getattr(member, name) != value}
    if not changed:
        return
    _check_not_own(member, access)
    _check_not_over(member)
    if NetworkRole.LEAD in (member.role, values.get("role")):
        _check_leads(owned.held.is_any(Relation.LEAD))
    for name in changed:
        setattr(member, name, values[name])
    _check_dates(member)
    if member.organisation_id is not None:
        _check_role(member)
    if "ends_on" in changed:
        await _check_days(access, member.network_id, member)
    member.touch()
    await _journal(access, "changed", member, changed)


async def end_member(owned: Owned[NetworkMember]) -> None:
    """Ends a membership (or an asking) today; one that is yet to begin never counts."""
    member, access = owned.entity, owned.access
    _check_not_over(member)
    if member.role == NetworkRole.LEAD:
        _check_leads(owned.held.is_any(Relation.LEAD, Relation.SELF, Relation.ADMINISTRATOR))
    if _leads_today(member):
        state = await network_state(access, member.network_id, without=member.id)
        if state.open and not state.led:
            raise Conflict("The last lead stays: make another one first, or close the network.")
    await _end(access, member, today())


async def _end(access: Access, member: NetworkMember, day: date) -> None:
    member.ends_on = max(day, member.starts_on)
    member.touch()
    await _journal(access, "ended", member, {"ends_on"})


def _leads_today(member: NetworkMember) -> bool:
    is_lead = member.person_id is not None and member.role == NetworkRole.LEAD
    return is_lead and member.confirmed_at is not None and member.starts_on <= today()


def _check_leads(may: bool) -> None:
    if not may:
        raise Forbidden("Leads are made, changed and ended by a lead of the network.")


def _check_not_own(member: NetworkMember, access: Access) -> None:
    if member.person_id == access.caller.person_id:
        raise Forbidden("Nobody changes or confirms their own membership; you may end it.")


def _check_not_over(member: NetworkMember) -> None:
    if member.ends_on is not None and member.ends_on <= max(today(), member.starts_on):
        raise Conflict("This is over, and stays as it was.")


def _check_dates(member: NetworkMember) -> None:
    if member.ends_on is not None and member.ends_on < member.starts_on:
        raise Invalid.field("/ends_on", "must not be before starts_on")


def _check_role(member: NetworkMember) -> None:
    if member.role not in ORGANISATION_ROLES:
        roles = ", ".join(ORGANISATION_ROLES)
        raise Invalid.field("/role", f"of an organisation is one of {roles}")


async def _check_days(access: Access, network_id: UUID, member: NetworkMember) -> None:
    if await overlapping(access, network_id, member):
        raise Conflict(
            "They have a place in the network, or have asked for one, on some of these days."
        )


async def _journal(
    access: Access, action: str, member: NetworkMember, changed: set[str] | None = None
) -> None:
    await access.journal(
        action,
        NETWORK_MEMBERS.kind,
        member,
        changed=changed or (),
        owner_id=member.person_id,
        organisation_id=member.organisation_id,
    )
