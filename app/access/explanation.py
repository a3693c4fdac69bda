"""Why may I, or may I not? For a record that the caller sees: each rule, and whether it is met."""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.audience import RULES
from app.access.caller import Caller, CallerKind
from app.access.door import OVER, Access
from app.access.grants import GRANTS, Action, Relation, allows
from app.access.visibility import Resource, parameter, visible
from app.core.errors import NotFound
from app.core.query import Query
from app.core.tables import Id

_WORDS = {"goal": "goal", "evidence_item": "evidence_item", "agreement": "learning_agreement"}
"""Kinds of record by the first word of an action."""


def actions_on(kind: str) -> list[Action]:
    """The actions on one record of a kind."""
    return [action for action in Action if _WORDS.get(action.partition(":")[0]) == kind]


@cache
def _query(resource: Resource, kind: CallerKind) -> Query:
    row = resource.table.alias("this")
    flags = [way.predicate(row).label(f"by_{way.name}") for way in resource.seen_by(row, kind)]
    relations = resource.relations(row, kind)
    flags.extend(met.label(f"is_{relation.name}") for relation, met in relations.items())
    if resource.over is not None:
        flags.append(resource.over(row).label("over"))
    return Query(
        select(*flags).where(row.c.id == parameter("id", Id), visible(resource, row, kind)),
        scoped=True,
    )


async def explain(
    access: Access, resource: Resource, resource_id: UUID, action: Action
) -> dict[str, Any]:
    """Whether the caller may do `action` on a record, with every rule that was asked.

    NotFound when the caller does not see the record: what is hidden is not explained.
    """
    found = await access.read(_query(resource, access.caller.kind), id=resource_id)
    if not found:
        raise NotFound()
    flags = found[0]
    grant = GRANTS[action]
    held = [relation for relation in Relation if flags.get(f"is_{relation.name}")]
    missing = []
    if grant.scope not in access.caller.scopes:
        missing.append(f"The token lacks the scope {grant.scope}.")
    if not allows(action, access.caller.kind):
        missing.append("This is for people who have signed in, not for integration clients.")
    if grant.by and not set(grant.by) & set(held):
        missing.append(f"This is for {grant.who}.")
    elif flags.get("over") and not grant.after_end:
        # Told to those who might otherwise: a named reader learns nothing of the agreement.
        missing.append(OVER)
    return {
        "allowed": not missing,
        "missing": missing,
        "scope": grant.scope,
        "needed": [str(relation) for relation in grant.by],
        "held": [str(relation) for relation in held],
        "rules": [
            {"rule": name[3:], "met": bool(met), "text": RULES[name[3:]]}
            for name, met in flags.items()
            if name.startswith("by_")
        ],
    }


def permissions(caller: Caller) -> list[dict[str, Any]]:
    """Every action: whether the caller's token and kind allow it at all, and who may on a record."""
    return [
        {
            "action": str(action),
            "scope": grant.scope,
            "allowed": grant.scope in caller.scopes and allows(action, caller.kind),
            "who": grant.who or None,
        }
        for action, grant in GRANTS.items()
    ]
