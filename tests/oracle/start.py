"""A small world to begin with: three organisations and a hub, eleven people, two networks, clients."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.access.grants import SCOPES
from app.actions import accounts
from app.core import journal
from app.core.clock import today
from app.models.organisations import OrganisationKind
from app.models.people import AffiliationRole
from tests.oracle.model import Affiliation, Client, Member, Network, World
from tests.oracle.service import Figures, Run
from tests.worlds import add_organisation, add_person, affiliate, token

LONG_AGO = timedelta(days=90)
PEOPLE: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Ann", (("A", "teacher"),)),
    ("Bet", (("A", "supply_teacher"), ("B", "teacher"))),
    ("Cai", (("A", "teacher"),)),
    ("Dai", (("B", "teacher"),)),
    ("Eli", (("A", "head_teacher"),)),
    ("Fay", (("B", "professional_learning_lead"),)),
    ("Gwen", (("authority", "head_teacher"),)),
    ("Huw", (("A", "teacher"),)),
    ("Ivy", (("A", "administrator"),)),
)
"""Everybody here is at the hub too, whose colleagues can name each other in an agreement."""
OUTSIDERS = (("Jac", "elsewhere", "head_teacher"), ("Olwen", "authority", "administrator"))
"""A stranger, and the operator's administrator."""
ABLE = ("Ann", "Bet", "Cai", "Dai", "Eli", "Fay", "Gwen", "Huw")
"""Who may become a party."""
SCHOOLS = ("A", "B", "authority")


class Cast:
    """The ids behind the names that never change."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.gone: set[str] = set()
        """Ids of records that have gone into others."""

    def __getitem__(self, name: str) -> str:
        return self.ids[name]

    def all(self, names: tuple[str, ...]) -> list[str]:
        return [self.ids[name] for name in names if self.ids[name] not in self.gone]


async def begin(app: Any, figures: Figures) -> tuple[Run, Cast]:
    """People and places; agreements and records come by what people do."""
    world, cast = World(today()), Cast()
    run = Run(app, world, figures)

    def name(thing: UUID, called: str) -> str:
        cast.ids[called] = str(thing)
        world.names[str(thing)] = called
        return str(thing)

    async with run.database.work() as unit:
        await _places(unit, name, world, cast)
        for called, ties in PEOPLE:
            person = name(await add_person(unit, called), called)
            world.people.append(person)
            for place, role in (*ties, ("hub", "other")):
                await _tie(unit, world, person, cast[place], role)
        for called, place, role in OUTSIDERS:
            person = name(await add_person(unit, called), called)
            world.people.append(person)
            await _tie(unit, world, person, cast[place], role)
        await accounts.make_operator(
            unit, actor=journal.COMMAND_LINE, person_id=UUID(cast["Olwen"])
        )
    run.tokens = {p: token(app, UUID(p)) for p in world.people}
    await _networks(run, cast, name)
    async with run.database.work() as unit:
        for place in SCHOOLS:
            await _client(unit, world, name, f"client of {place}", organisation=cast[place])
        await _client(unit, world, name, "client of N1", network=cast["N1"])
    run.tokens |= {c: token(app, UUID(c), UUID(c)) for c in world.clients}
    figures.worlds += 1
    return run, cast


async def _places(unit: Any, name: Callable[[UUID, str], str], world: World, cast: Cast) -> None:
    kind = OrganisationKind.LOCAL_AUTHORITY
    name(await add_organisation(unit, kind, "authority"), "authority")
    for called in ("A", "B", "hub", "elsewhere"):
        below = {"parent_id": UUID(cast["authority"])} if called in SCHOOLS else {}
        place = await add_organisation(unit, OrganisationKind.SCHOOL, called, **below)
        name(place, called)
        if below:
            world.parents[cast[called]] = cast["authority"]
    world.organisations = cast.all(("authority", "A", "B", "hub", "elsewhere"))


async def _tie(unit: Any, world: World, person: str, place: str, role: str) -> None:
    starts: date = world.today - LONG_AGO
    made = str(
        await affiliate(unit, UUID(person), UUID(place), AffiliationRole(role), starts_on=starts)
    )
    world.affiliations[made] = Affiliation(made, person, place, role, starts)


async def _networks(run: Run, cast: Cast, name: Callable[[UUID, str], str]) -> None:
    world = run.world
    for called, lead, others in (
        ("N1", "Huw", (("Ann", "member"), ("Ivy", "member"), ("Fay", "peripheral"))),
        ("N2", "Gwen", (("Bet", "member"), ("Huw", "peripheral"))),
    ):
        body: dict[str, Any] = {"kind": "professional_learning_community", "name": called}
        made = await run.write(
            cast[lead], "POST", "/v1/networks", body, allowed=True, doing=f"founds {called}"
        )
        network = name(UUID(made["id"]), called)
        world.networks[network] = Network(network)
        members = (await run.call(cast[lead], "GET", f"/v1/networks/{network}/members")).json()[
            "items"
        ]
        own = members[0]["id"]
        world.members[own] = Member(own, network, cast[lead], None, "lead", world.today)
        for who, role in others:
            await add_member(run, cast[lead], network, cast[who], role)
        # A school that is a member makes none of its people one.
        await add_member(run, cast[lead], network, None, "member", cast["B"])


async def add_member(
    run: Run, lead: str, network: str, person: str | None, role: str, place: str | None = None
) -> None:
    """A member, added by who leads."""
    world = run.world
    body = {"person_id": person} if person else {"organisation_id": place}
    made = await run.write(
        lead,
        "POST",
        f"/v1/networks/{network}/members",
        {**body, "role": role},
        allowed=None,
        doing=f"adds {world.name(person or place)} to {world.name(network)} as {role}",
    )
    if made:
        world.members[made["id"]] = Member(made["id"], network, person, place, role, world.today)


async def _client(
    unit: Any,
    world: World,
    name: Callable[[UUID, str], str],
    called: str,
    organisation: str | None = None,
    network: str | None = None,
) -> None:
    client_id, _ = await accounts.create_client(
        unit,
        actor=journal.COMMAND_LINE,
        name=called,
        organisation_id=UUID(organisation) if organisation else None,
        network_id=UUID(network) if network else None,
        scopes=sorted(SCOPES),
    )
    client = name(client_id, called)
    world.clients[client] = Client(client, organisation, network)
