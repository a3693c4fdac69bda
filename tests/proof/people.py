"""Who is in the scene beside those of a small world, and the accounts that they have."""

from uuid import UUID

from app.access.grants import SCOPES
from app.actions import accounts
from app.core import journal
from app.core.clock import now, today
from app.core.ids import uuid7
from app.models.networks import NetworkMember
from app.models.organisations import Organisation, OrganisationKind
from app.models.people import AffiliationRole, Client, Person, PersonIdentifier
from tests.proof.notation import ACTORS
from tests.proof.stage import OPERATORS, Scene
from tests.worlds import Actor, add_organisation, add_person, affiliate, token

AT_SCHOOL = ("learner", "fellow", "coach", "tutor", "head", "administrator", "newcomer", "reader")
"""Who is at the home organisation today."""


async def add_people(scene: Scene) -> None:
    """former, newcomer and reader at the school; lead and member at a college; second and the stranger
    nowhere."""
    world = scene.world
    world.actors["other_head"] = world.actors.pop("stranger")
    await world.operator_named("second")
    secret = scene.planted.plant("stranger's name", "stranger", *OPERATORS)
    async with world.database.work() as unit:
        college = await add_organisation(unit, OrganisationKind.COLLEGE, "Coleg Cymuned")
        for who, place, name in (
            ("former", world.school, "Former"),
            ("newcomer", world.school, "Newcomer"),
            ("reader", world.school, "Reader"),
            ("lead", college, "Lead"),
            ("member", college, "Member"),
            ("stranger", None, secret),
        ):
            person = await add_person(unit, name)
            world.actors[who] = Actor(world.http, person, token(world.app, person), name)
            if place is not None:
                world.affiliations[who] = await affiliate(
                    unit, person, place, AffiliationRole.TEACHER
                )
        asker = await add_person(unit, scene.planted.plant("name of who asks", "lead", *OPERATORS))
    scene.keep("organisation", "school", str(world.school))
    scene.keep("organisation", "college", str(college))
    scene.keep("organisation", "authority", str(world.authority))
    for who, actor in world.actors.items():
        if who != "client":
            scene.keep("person", who, str(actor.id))
    scene.keep("person", "asker", str(asker))
    for who, id_ in world.affiliations.items():
        scene.keep("affiliation", "other_head" if who == "stranger" else who, str(id_))
    other = await scene.call("other_head", "GET", "/v1/me")
    scene.keep("organisation", "elsewhere", other["affiliations"][0]["organisation_id"])
    everybody = [who for who in ACTORS if who not in ("anonymous", "opener")]
    contact = scene.planted.plant("safeguarding contact", *everybody)
    await scene.change(Organisation, str(world.school), safeguarding_contact=contact)


async def take_part(scene: Scene) -> None:
    """learner and member are in the network; the asker waits to be let in."""
    network, moment = UUID(scene.ids["network"]["network"]), now()
    async with scene.world.database.work() as unit:
        for who in ("learner", "member", "asker"):
            member = NetworkMember(
                id=uuid7(),
                version=1,
                created_at=moment,
                updated_at=moment,
                network_id=network,
                person_id=UUID(scene.ids["person"][who]),
                role="member",
                starts_on=today(),
                confirmed_at=None if who == "asker" else moment,
            )
            await unit.insert(member)
            scene.keep("member", who, str(member.id))


async def add_accounts(scene: Scene) -> None:
    """Clients, addresses, what other systems call somebody, and ways in."""
    world, planted = scene.world, scene.planted
    async with world.database.work() as unit:
        for name, bound in (
            ("network_client", {"network_id": UUID(scene.ids["network"]["network"])}),
            ("disabled_client", {"organisation_id": world.school}),
        ):
            values = {"organisation_id": None, "network_id": None, **bound}
            made, secret = await accounts.create_client(
                unit,
                actor=journal.COMMAND_LINE,
                name=name,
                scopes=sorted(SCOPES),
                **values,  # type: ignore[arg-type]
            )
            world.actors[name] = Actor(world.http, made, token(world.app, made, made))
            scene.keep("client", name, str(made))
            scene.secrets[name] = secret
        password = planted.plant("password", seen_by="")
        address = f"{planted.plant('address of a way in', seen_by='')}@school.example"
        await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=address,
            password=password,
        )
        called = planted.plant("identifier", "administrator", "client")
        await unit.insert(
            PersonIdentifier(
                organisation_id=world.school,
                source="mis",
                external_id=called,
                person_id=world.learner.id,
            )
        )
    at = "@school.example"
    invited = planted.plant("address of an invitation", "newcomer", "administrator", *OPERATORS)
    newcomer, learner = (UUID(scene.ids["person"][who]) for who in ("newcomer", "learner"))
    scene.keep("invitation", "newcomer", await world.invitation(newcomer, invited + at))
    asked_for = planted.plant("address that somebody asks for", "learner")
    scene.keep("address_change", "learner", await world.address_change(learner, asked_for + at))
    await scene.change(Client, scene.ids["client"]["disabled_client"], disabled_at=now())
    for who, id_ in scene.ids["person"].items():
        allowed = [who, *(["administrator", "client"] if who in AT_SCHOOL else ())]
        if who == "asker":
            allowed = []
        email = f"{planted.plant(f'address of {who}', *allowed)}@school.example"
        await scene.change(Person, id_, email=email)
