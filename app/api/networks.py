"""Networks: who learns together, and who leads."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import MISSING, Field

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.access.network_members import NETWORK_MEMBERS, is_in_network
from app.access.networks import NETWORKS
from app.actions import networks
from app.core import wire
from app.core.errors import NotFound
from app.core.ids import ClientMadeId
from app.core.pages import ChangesQuery, Page
from app.core.routes import Route
from app.core.search import Question
from app.core.text import Line, Prose
from app.models.networks import Network, NetworkKind, NetworkMember, NetworkRole

router = APIRouter(prefix="/v1/networks", tags=["Networks"], route_class=Route)


class NetworkOut(wire.Resource):
    """A network."""

    kind: Annotated[Any, wire.member_of(NetworkKind)]
    name: wire.Name
    name_cy: Annotated[wire.Name | None, Field(description="The name in Welsh, where it differs.")]
    remit: Annotated[wire.Text | None, Field(description="What it is for.")]
    parent_id: Annotated[wire.WireIdOrNull, Field(description="Shown to those who see the parent.")]
    closed_on: Annotated[
        wire.WireDayOrNull, Field(description="The first day on which it is no more.")
    ]


class NetworkNew(wire.Shape):
    """A network to be founded."""

    id: ClientMadeId | None = None
    kind: NetworkKind
    name: Line
    name_cy: Line | None = None
    remit: Prose | None = None
    parent_id: Annotated[
        UUID | None, Field(description="Another network, which you lead or facilitate.")
    ] = None


class NetworkChange(wire.Shape):
    """What to change (JSON Merge Patch): fields left out stay, null clears."""

    kind: NetworkKind | MISSING = MISSING
    name: Line | MISSING = MISSING
    name_cy: Line | MISSING | None = MISSING
    remit: Prose | MISSING | None = MISSING
    parent_id: UUID | MISSING | None = MISSING
    closed_on: wire.Day | MISSING | None = MISSING


class NetworkQuery(ChangesQuery):
    """Filters of the list."""

    kind: Annotated[NetworkKind | None, Field(description="Of this kind.")] = None
    parent_id: Annotated[UUID | None, Field(description="Directly below this one.")] = None
    q: Question | None = None
    led: Annotated[bool | None, Field(description="Whether it has a lead today.")] = None


@router.get("", summary="List networks")
async def list_networks(
    access: Annotated[Access, may(Action.NETWORK_READ)],
    query: Annotated[NetworkQuery, wire.Parameters],
    response: Response,
) -> Page[NetworkOut]:
    """Those that you, your organisations or your agreements have to do with, newest first."""
    if query.parent_id is not None and await access.find(NETWORKS, query.parent_id) is None:
        # A parent that the caller does not see has, for them, nothing below it.
        return {"items": [], "next": None}  # type: ignore[return-value]
    page = await access.page(NETWORKS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Found a network")
async def found_network(
    access: Annotated[Access, may(Action.NETWORK_CREATE)], body: NetworkNew
) -> NetworkOut:
    """For people who are at an organisation today; the founder is its first lead."""
    made = await claim(access, NETWORKS, body)
    if not made.repeated:
        values = {**body.model_dump(exclude={"id"}), "closed_on": None}
        await networks.found_network(access, made, values)
    return await access.answer(NETWORKS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{network_id}", summary="Read a network")
async def read_network(row: Annotated[Row, one(Action.NETWORK_READ, NETWORKS)]) -> NetworkOut:
    """One network."""
    return row.data  # type: ignore[return-value]


@router.patch("/{network_id}", summary="Change or close a network")
async def change_network(
    owned: Annotated[Owned[Network], one(Action.NETWORK_WRITE, NETWORKS, NetworkOut)],
    body: NetworkChange,
) -> NetworkOut:
    """For its leads and facilitators. To close it, set `closed_on` to the first day without it."""
    await networks.change_network(owned, body.model_dump())
    return await owned.access.answer(NETWORKS, owned.entity.id)  # type: ignore[return-value]


class NetworkMemberOut(wire.Resource):
    """A person or an organisation in a network."""

    network_id: wire.WireId
    person_id: wire.WireIdOrNull
    organisation_id: wire.WireIdOrNull
    name: wire.Name
    role: Annotated[Any, wire.member_of(NetworkRole)]
    starts_on: wire.WireDay
    ends_on: Annotated[
        wire.WireDayOrNull, Field(description="The first day on which it no longer counts.")
    ]
    confirmed_at: Annotated[
        wire.WireMomentOrNull, Field(description="Null: has asked to join, and is no member yet.")
    ]


class NetworkMemberNew(wire.Shape):
    """Who joins: one person or one organisation. Your own id asks to join."""

    id: ClientMadeId | None = None
    person_id: UUID | None = None
    organisation_id: UUID | None = None
    role: NetworkRole = NetworkRole.MEMBER
    starts_on: Annotated[wire.Day | None, Field(description="Left out: today.")] = None
    ends_on: wire.Day | None = None


class _Claimed(NetworkMemberNew):
    # The same body for another network is another request.
    network_id: UUID


class NetworkMemberChange(wire.Shape):
    """What to change (JSON Merge Patch)."""

    role: NetworkRole | MISSING = MISSING
    ends_on: wire.Day | MISSING | None = MISSING


class NetworkMemberQuery(ChangesQuery):
    """Filters of the list."""

    role: Annotated[NetworkRole | None, Field(description="In this role.")] = None
    current: Annotated[bool | None, Field(description="Whether it counts today.")] = None
    confirmed: Annotated[bool | None, Field(description="False: who has asked to join.")] = None


async def _in_its_network(
    request: Request,
    network_id: Annotated[
        str, Path(description="Id of the network.", json_schema_extra={"format": "uuid"})
    ],
) -> None:
    """The whole address counts, and before all else: a gate sees only the id of the member."""
    access: Access = request.scope["admitted"]
    try:
        member_id = UUID(request.path_params["network_member_id"])
        right = await is_in_network(access, UUID(network_id), member_id)
    except ValueError:
        right = False
    if not right:
        raise NotFound()


_MEMBER: Any = {"dependencies": [Depends(_in_its_network)]}


@router.get("/{network_id}/members", summary="List the members of a network")
async def list_network_members(
    row: Annotated[Row, one(Action.NETWORK_MEMBER_READ, NETWORKS)],
    query: Annotated[NetworkMemberQuery, wire.Parameters],
    response: Response,
) -> Page[NetworkMemberOut]:
    """To members: all of today. To leads and facilitators: also who asks, comes and has left. To
    others who see the network: its organisations. Your own are always among them."""
    page = await row.access.page(NETWORK_MEMBERS, query, network_id=row.id)
    row.access.etag = None
    row.access.link(response, page)
    return page  # type: ignore[return-value]


async def _answer(access: Access, member_id: UUID, *, created: bool = False) -> NetworkMemberOut:
    row = await access.answer(NETWORK_MEMBERS, member_id)
    if created:
        access.location = f"{NETWORKS.path}/{row['network_id']}/members/{row['id']}"
    return row  # type: ignore[return-value]


@router.post("/{network_id}/members", status_code=201, summary="Add a member, or ask to join")
async def add_network_member(
    owned: Annotated[Owned[Network], one(Action.NETWORK_MEMBER_CREATE, NETWORKS, NetworkOut)],
    body: NetworkMemberNew,
) -> NetworkMemberOut:
    """For leads and facilitators (leads are made by leads); for yourself it asks, as member or
    peripheral. Where nobody leads, the operator's administrators appoint a lead."""
    access = owned.access
    whole = _Claimed(network_id=owned.entity.id, **body.model_dump())
    made = await claim(access, NETWORK_MEMBERS, whole)
    if not made.repeated:
        await networks.add_member(owned, made, **body.model_dump(exclude={"id"}))
    return await _answer(access, made.id, created=True)


@router.get("/{network_id}/members/{network_member_id}", summary="Read a member", **_MEMBER)
async def read_network_member(
    row: Annotated[Row, one(Action.NETWORK_MEMBER_READ, NETWORK_MEMBERS)],
) -> NetworkMemberOut:
    """One membership that you may see; your own also when it is over."""
    return row.data  # type: ignore[return-value]


@router.patch("/{network_id}/members/{network_member_id}", summary="Change a member", **_MEMBER)
async def change_network_member(
    owned: Annotated[
        Owned[NetworkMember], one(Action.NETWORK_MEMBER_WRITE, NETWORK_MEMBERS, NetworkMemberOut)
    ],
    body: NetworkMemberChange,
) -> NetworkMemberOut:
    """For leads and facilitators, of others than themselves; leads are changed by leads."""
    await networks.change_member(owned, body.model_dump())
    return await _answer(owned.access, owned.entity.id)


@router.post(
    "/{network_id}/members/{network_member_id}/confirmation",
    summary="Confirm who has asked",
    **_MEMBER,
)
async def confirm_network_member(
    owned: Annotated[
        Owned[NetworkMember], one(Action.NETWORK_MEMBER_CONFIRM, NETWORK_MEMBERS, NetworkMemberOut)
    ],
) -> NetworkMemberOut:
    """For leads and facilitators: from now on the person is a member. Nobody confirms themself."""
    await networks.confirm_member(owned)
    return await _answer(owned.access, owned.entity.id)


@router.post(
    "/{network_id}/members/{network_member_id}/ending", summary="End a membership", **_MEMBER
)
async def end_network_member(
    owned: Annotated[
        Owned[NetworkMember], one(Action.NETWORK_MEMBER_END, NETWORK_MEMBERS, NetworkMemberOut)
    ],
) -> NetworkMemberOut:
    """For the person themself, leads and facilitators, and an organisation's administrators: it
    counts no more from today. The last lead stays until there is another or the network closes."""
    await networks.end_member(owned)
    return await _answer(owned.access, owned.entity.id)
