"""Writes of shares: only the owner shows a record to somebody, and takes it back."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, delete, or_, select

from app.access import relations as r
from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.networks import NETWORKS
from app.access.people import PEOPLE
from app.access.records import RECORDS
from app.access.shares import SHARED, SHARES
from app.access.standing import standing_under
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid, NotFound
from app.core.query import Query
from app.core.tables import Id
from app.models.agreements import AgreementNetwork
from app.models.pupils import Consent
from app.models.shares import Share, SharedKind

_shares: Any = Share.__table__
_named: Any = AgreementNetwork.__table__

_NAMED = Query(
    select(_named.c.network_id).where(
        _named.c.agreement_id == parameter("agreement_id", Id),
        _named.c.network_id == parameter("network_id", Id),
    )
)
_SAME = and_(
    _shares.c.kind == parameter("kind", String),
    _shares.c.record_id == parameter("record_id", Id),
    or_(
        _shares.c.person_id == parameter("person_id", Id),
        _shares.c.network_id == parameter("network_id", Id),
    ),
)
# One whose last day has passed makes room for another.
_END_PAST = Query(delete(_shares).where(_SAME, _shares.c.ends_on <= r.today))
_THERE = Query(select(_shares.c.id).where(_SAME), unscoped="the owner's own record is held")


async def share_record(
    access: Access,
    claim: Claim,
    *,
    kind: SharedKind,
    record_id: UUID,
    person_id: UUID | None,
    network_id: UUID | None,
    with_evidence: bool,
    reason: str,
    ends_on: date | None,
) -> None:
    """Shows a record to a named person until a date, or to a network that its agreement names."""
    me = access.caller.person_id
    assert me is not None, "the grants let only people do this"
    record = await _held(access, kind, record_id)
    record.check_not_erased()
    seen = await access.find(SHARED[kind], record_id)
    if seen is None or seen.get("reduced"):
        raise Conflict("The item stays where it was captured: who has left does not share it.")
    if ends_on is not None and ends_on <= today():
        raise Invalid.field("/ends_on", "must be a day to come: on it the share no longer counts")
    if record.pupil_consent == Consent.WITHDRAWN:
        raise Conflict("Consent was withdrawn: the record is shared with nobody.")
    to_peripheral = False
    if person_id is not None:
        if person_id == me:
            raise Invalid.field("/person_id", "is you")
        if await access.find(PEOPLE, person_id) is None:
            raise Invalid.field("/person_id", "names nobody whom you can see")
    else:
        assert network_id is not None
        to_peripheral = await _check_network(access, record, kind, network_id)
    whom = {
        "kind": kind, "record_id": record_id, "person_id": person_id, "network_id": network_id,
        "today": today(),
    }  # fmt: skip
    await access.unit.rows(_END_PAST, whom)
    if await access.unit.rows(_THERE, whom):
        raise Conflict("The record is shared with them already; take that back first.")
    moment = now()
    share = Share(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        owner_id=me,
        created_by=me,
        kind=kind,
        record_id=record_id,
        agreement_id=record.agreement_id,
        person_id=person_id,
        network_id=network_id,
        with_evidence=with_evidence,
        to_peripheral=to_peripheral,
        reason=reason,
        ends_on=ends_on,
        creation_digest=claim.digest,
    )
    await access.insert(SHARES, share)
    await _journal(access, share, record, "shared")


async def _held(access: Access, kind: SharedKind, record_id: UUID) -> Any:
    """The record, locked with its agreement; it is the caller's own."""
    try:
        return (await access.locked(SHARED[kind], record_id)).entity
    except NotFound:
        detail = f"names no {kind.replace('_', ' ')} that you can see"
        raise Invalid.field(f"/{kind}_id", detail) from None


async def _check_network(access: Access, record: Any, kind: SharedKind, network_id: UUID) -> bool:
    """A network reads only what the agreement lets it read, and no child without consent.

    Returns whether newcomers at its edge read along.
    """
    if await access.find(NETWORKS, network_id) is None:
        raise Invalid.field("/network_id", "names no network that you can see")
    if record.agreement_id is None:
        raise Invalid.field(
            "/network_id", "a record outside an agreement is shared with named people only"
        )
    disclosed = next(word for word, resource in RECORDS.items() if resource.kind == kind)
    standing = await standing_under(access, record.agreement_id, record.owner_id, disclosed)
    values = {"agreement_id": record.agreement_id, "network_id": network_id}
    if not await access.unit.rows(_NAMED, values):
        raise Invalid.field("/network_id", "is not a network that the agreement names")
    if not standing.to_networks:
        raise Invalid.field(
            "/network_id", f"the agreement's terms do not tick networks for {disclosed}"
        )
    if not record.shareable_with_networks:
        raise Invalid.field(
            "/network_id",
            "the record may show pupils: say in it that it shows none (shows_pupils), or that "
            "consent was given (pupil_consent)",
        )
    return standing.peripheral_members


async def end_share(owned: Owned[Share]) -> None:
    """Takes a record back; the next request of those who read it finds nothing."""
    access, share = owned.access, owned.entity
    await access.unit.session.delete(share)
    await _journal(access, share, None, "unshared")


async def _journal(access: Access, share: Share, record: Any, action: str) -> None:
    await access.journal(
        action,
        SHARES.kind,
        share,
        owner_id=share.owner_id,
        agreement_id=share.agreement_id,
        organisation_id=None if record is None else record.home_organisation_id,
    )
