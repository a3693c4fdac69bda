"""Places and memberships of two records that become one: what both say of the same days is said once."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.db import Unit
from app.models.networks import NetworkMember
from app.models.people import Affiliation, SignInIdentity
from app.models.scim import DirectoryUser


async def merge_ties(unit: Unit, *, gone: UUID, stays: UUID) -> list[Any]:
    """Where both have one role at one place on the same days, the tie of the record that stays has the
    days of both, and the other counts on no day; those that were changed. All are locked."""
    return [
        *await _merge(unit, Affiliation, gone, stays, _same_place),
        *await _merge(unit, NetworkMember, gone, stays, _same_network),
    ]


async def _merge(
    unit: Unit, entity: Any, gone: UUID, stays: UUID, same: Callable[[Any, Any], bool]
) -> list[Any]:
    found = await unit.session.scalars(
        select(entity)
        .where(entity.person_id.in_((gone, stays)))
        .order_by(entity.id)
        .with_for_update()
        .execution_options(unscoped="the caller's own, by either of two records")
    )
    rows: Sequence[Any] = found.all()
    changed: list[Any] = []
    instead: dict[str, str] = {}
    for row in (row for row in rows if row.person_id == gone):
        twins = (r for r in rows if r.person_id == stays and same(r, row) and _overlap(r, row))
        twin = next(twins, None)
        if twin is None:
            continue
        if _counts(row) and not _counts(twin):
            # A wish to be what one is already, or a question that has been answered.
            row, twin = twin, row
        elif _counts(row):
            twin.starts_on = min(twin.starts_on, row.starts_on)
            twin.ends_on = max(_end(twin), _end(row))
            if twin.ends_on == date.max:
                twin.ends_on = None
        row.ends_on = row.starts_on
        instead[str(row.id)] = str(twin.id)
        for one in (row, twin):
            one.touch()
            changed.append(one)
    if entity is Affiliation and instead:
        await _tell_directories(unit, gone, instead)
    await unit.flush()
    return list(dict.fromkeys(changed))


async def _tell_directories(unit: Unit, gone: UUID, instead: dict[str, str]) -> None:
    """What a directory has brought about goes on as the tie that is left."""
    users = await unit.session.scalars(
        select(DirectoryUser)
        .join(SignInIdentity, SignInIdentity.id == DirectoryUser.id)
        .where(SignInIdentity.person_id == gone)
        .with_for_update()
    )
    for user in users:
        brought = {role: instead.get(id_, id_) for role, id_ in user.affiliations.items()}
        if brought != user.affiliations:
            user.affiliations = brought
            user.touch()


def _same_place(one: Affiliation, other: Affiliation) -> bool:
    return (one.organisation_id, one.role) == (other.organisation_id, other.role)


def _same_network(one: NetworkMember, other: NetworkMember) -> bool:
    return (one.network_id, one.role) == (other.network_id, other.role)


def _counts(row: Affiliation | NetworkMember) -> bool:
    """Whether whoever has to has said yes to it."""
    said = row.accepted_at if isinstance(row, Affiliation) else row.confirmed_at
    return said is not None


def _end(row: Any) -> date:
    return row.ends_on or date.max


def _overlap(one: Any, other: Any) -> bool:
    return bool(
        one.starts_on < _end(one)
        and other.starts_on < _end(other)
        and one.starts_on < _end(other)
        and other.starts_on < _end(one)
    )
