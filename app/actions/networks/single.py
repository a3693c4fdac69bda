"""Writes of networks: found, change, close."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.claims import Claim
from app.access.door import Access
from app.access.gates import Owned
from app.access.network_members import NETWORK_MEMBERS
from app.access.networks import NETWORKS, manages, may_found
from app.access.visibility import parameter
from app.core.clock import now, today
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.http import as_uuid
from app.core.ids import uuid7
from app.core.query import Query
from app.core.tables import Id
from app.models.networks import Network, NetworkMember, NetworkRole

_networks: Any = Network.__table__
_PARENT = Query(
    select(_networks.c.parent_id).where(_networks.c.id == parameter("id", Id)),
    unscoped="whether a network would be below itself tells nothing of those in between",
)


async def found_network(access: Access, claim: Claim, values: Mapping[str, Any]) -> None:
    """A network, whose first lead is its founder."""
    await access.unit.begin()
    if not await may_found(access):
        raise Forbidden("A network is founded by somebody who is at an organisation today.")
    moment = now()
    network = Network(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        created_by=access.caller.person_id,
        creation_digest=claim.digest,
        **values,
    )
    await _check_parent(access, network)
    await access.unit.insert(network)
    await access.journal("created", NETWORKS.kind, network)
    lead = NetworkMember(
        id=uuid7(),
        version=1,
        created_at=moment,
        updated_at=moment,
        network_id=network.id,
        person_id=access.caller.person_id,
        created_by=access.caller.person_id,
        role=NetworkRole.LEAD,
        starts_on=today(),
        confirmed_at=moment,
    )
    await access.unit.insert(lead)
    await access.journal("created", NETWORK_MEMBERS.kind, lead, owner_id=lead.person_id)


async def change_network(owned: Owned[Network], values: Mapping[str, Any]) -> None:
    """Changes what a network says of itself; `closed_on` closes it, from that day on."""
    network, access = owned.entity, owned.access
    changed = {name for name, value in values.items() if getattr(network, name) != value}
    if not changed:
        return
    for name in changed:
        setattr(network, name, values[name])
    if "parent_id" in changed:
        await _check_parent(access, network)
    network.touch()
    await access.journal("changed", NETWORKS.kind, network, changed=changed)


async def _check_parent(access: Access, network: Network) -> None:
    if network.parent_id is None:
        return
    if not await manages(access, network.parent_id):
        raise Invalid.field("/parent_id", "names no network that you lead or facilitate")
    if not await access.unit.try_lock("networks:tree"):
        # Two moves that each look right on their own could make a circle together.
        raise Conflict("Another network is being moved in the tree: send this again.")
    above: UUID | None = network.parent_id
    while above is not None:
        if above == network.id:
            raise Invalid.field("/parent_id", "must not be the network itself or one below it")
        (found,) = await access.unit.rows(_PARENT, {"id": above})
        above = None if found[0] is None else as_uuid(found[0])
