"""What ties a person to the organisation whose directory speaks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.access.affiliating import add_affiliation, alter_affiliation
from app.access.claims import Claim
from app.access.scim import Directory
from app.actions.scim.told import role_of
from app.core.clock import today
from app.core.ids import uuid7
from app.models.people import Affiliation, AffiliationRole


async def place(
    directory: Directory,
    person_id: UUID,
    roles: list[dict[str, Any]] | None,
    brought: Mapping[str, str],
) -> dict[str, str]:
    """Brings the affiliations that the directory has brought about in line with its roles: by role.

    What others have typed stays. Somebody without any role or other tie is there as `other`.
    """
    meant = (role_of(role.get("value", "")) for role in roles or ())
    wanted = {str(role) for role in meant if role is not None}
    current = await directory.places(person_id)
    own = set(brought.values())
    if not wanted and all(str(affiliation.id) in own for affiliation in current):
        wanted = {str(AffiliationRole.OTHER)}
    found: dict[str, str] = {}
    for affiliation in current:
        if affiliation.role in wanted:
            found.setdefault(affiliation.role, str(affiliation.id))
        elif brought.get(affiliation.role) == str(affiliation.id):
            await _end(directory, affiliation)
    for role in sorted(wanted - found.keys()):
        claim = Claim(uuid7(), None, repeated=False)
        values = {
            "organisation_id": directory.organisation_id,
            "role": role,
            "starts_on": today(),
        }
        await add_affiliation(directory.access, claim, person_id, values)
        found[role] = str(claim.id)
    return found


async def leave(
    directory: Directory, person_id: UUID, user_id: UUID, brought: Mapping[str, str]
) -> None:
    """Ends all that ties the person to the organisation today, whoever typed it; or, while another user
    of it is the same person, what this one alone has brought about."""
    others = await directory.brought_beside(person_id, user_id)
    kept = {id_ for other in others for id_ in other.values()}
    for affiliation in await directory.places(person_id):
        here = str(affiliation.id)
        if not others or (here in brought.values() and here not in kept):
            await _end(directory, affiliation)


async def _end(directory: Directory, affiliation: Affiliation) -> None:
    day = max(today(), affiliation.starts_on)
    await alter_affiliation(directory.access, affiliation, {"ends_on": day})
