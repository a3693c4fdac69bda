"""Who is in the scene beside those of a small world, and the accounts that they have."""

from datetime import timedelta
from uuid import UUID

from app.access.clients import fingerprint
from app.access.grants import SCOPES
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts, identity_providers
from app.core import journal
from app.core.clock import now, today
from app.core.db import Unit
from app.core.ids import uuid7
from app.core.passwords import hash_secret
from app.models.networks import NetworkMember
from app.models.organisations import Organisation, OrganisationKind
from app.models.people import AffiliationRole, Client, Person, PersonIdentifier
from app.models.second_factors import SecondFactor
from app.models.sessions import Consent, Session
from tests.proof.notation import ACTORS
from tests.proof.stage import OPERATORS, PARTIES, Scene
from tests.worlds import Actor, add_organisation, add_person, affiliate, token

SECRET_OF_THE_APP = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
AT_SCHOOL = ("learner", "fellow", "coach", "tutor", "head", "administrator", "newcomer", "reader")
"""Who is at the home organisation today."""


async def add_people(scene: Scene) -> None:
    """former, newcomer and reader at the school; lead and member at a college, and asked by the school;
    second and the stranger
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
        # Their words are waited for: till then neither is an administrator or a leader of the school.
        for who, name, role in (
            ("member", "asked", AffiliationRole.ADMINISTRATOR),
            ("lead", "asked to lead", AffiliationRole.HEAD_TEACHER),
        ):
            waits = await affiliate(
                unit, world.actors[who].id, world.school, role, accepted_at=None
            )
            scene.keep("affiliation", name, str(waits))
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


async def _add_clients(scene: Scene, unit: Unit) -> None:
    """own: the school's system; portal: the school's too, and people sign in through it; app: an app."""
    world, planted = scene.world, scene.planted
    (secret,) = await accounts.list_secrets(unit, world.client.id)
    scene.keep("client", "own", str(world.client.id))
    scene.fingerprints["own"] = fingerprint(secret.hash)
    leads_to = planted.plant("where a portal leads", "administrator", *OPERATORS)
    portal, _ = await accounts.create_client(
        unit,
        actor=journal.COMMAND_LINE,
        name=planted.plant("portal's name", "administrator", *PARTIES, *OPERATORS),
        organisation_id=world.school,
        scopes=["goals:read"],
        redirect_uris=[f"https://portal.example/{leads_to}"],
    )
    scene.keep("client", "portal", str(portal))
    app = await accounts.create_app(
        unit,
        actor=journal.COMMAND_LINE,
        name=planted.plant("app's name", *OPERATORS),
        scopes=["goals:read"],
        redirect_uris=[f"org.example.app:/{planted.plant('where an app leads', *OPERATORS)}"],
    )
    scene.keep("client", "app", str(app))


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
            scene.fingerprints[name] = fingerprint(hash_secret(secret))
        await _add_clients(scene, unit)
        password = planted.plant("password", seen_by="")
        for name, school, seen in (
            ("own", None, ("learner",)),
            ("brought", world.school, ("learner", "administrator", *OPERATORS)),
        ):
            address = f"{planted.plant(f'address of a way in, {name}', *seen)}@school.example"
            identity = await accounts.create_identity(
                unit,
                actor=journal.COMMAND_LINE,
                person_id=world.learner.id,
                email=address,
                password=password,
                organisation_id=school,
            )
            scene.keep("sign_in_identity", name, str(identity))
        await _sign_in(scene, unit, identity)
        called = planted.plant("identifier", "administrator", "client")
        await unit.insert(
            PersonIdentifier(
                organisation_id=world.school,
                source="mis",
                external_id=called,
                person_id=world.learner.id,
            )
        )
        for name, place in (("school", world.school), ("hwb", None)):
            made = await identity_providers.create_provider(
                unit,
                world.app.state.seals,
                actor=journal.COMMAND_LINE,
                values={
                    "organisation_id": place,
                    "name": name,
                    "name_cy": None,
                    "issuer": "https://login.example",
                    "client_id": "tandem",
                    "client_secret": planted.plant(f"client secret at {name}", seen_by=""),
                    "trusted_domains": [],
                    "required_claims": [],
                    "vouches_for_addresses": False,
                    "creates_people": False,
                    "enabled": True,
                },
            )
            scene.keep("identity_provider", name, str(made))
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


async def _sign_in(scene: Scene, unit: Unit, identity: UUID) -> None:
    """The learner's session and consent, and an app that is begun."""
    learner, moment = scene.world.learner.id, now()
    session, factor = uuid7(), uuid7()
    await unit.insert(
        Session(
            id=session,
            person_id=learner,
            identity_id=identity,
            client_id=PUBLIC_CLIENT,
            scopes=["goals:read"],
            method="password",
            created_at=moment,
            last_used_at=moment,
            expires_at=moment + timedelta(days=1),
        )
    )
    await unit.insert(
        Consent(person_id=learner, client_id=PUBLIC_CLIENT, scopes=["goals:read"], given_at=moment)
    )
    name = scene.planted.plant("name of an app", "learner")
    begun = SecondFactor(id=factor, person_id=learner, name=name, created_at=moment)
    begun.secret = scene.world.app.state.seals.seal(SECRET_OF_THE_APP, begun.about)
    await unit.insert(begun)
    scene.keep("session", "learner", str(session))
    scene.keep("second_factor", "learner", str(factor))
