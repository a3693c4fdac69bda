"""What schemathesis is told of the world, so that requests reach rows: ids, by where they are sent."""

from typing import Any

from app.core.ids import uuid7

OFTEN, HALF = 0.8, 0.5

_BY_NAME = {
    "agreement_id": "learning_agreement_id",
    "home_organisation_id": "organisation_id",
    "owner_id": "person_id",
}
"""Members and parameters that take ids of a pool of another name."""

_INSIDE = {
    "body.parties[*].person_id": "party",
    "body.affiliation.organisation_id": "organisation_id",
    "body.redirect_uris[*]": "redirect_uri",
    "body.goal_ids[*]": "goal_id",
    "body.networks[*]": "network_id",
    "body.principles[*]": "principle",
    "query.resource": "resource",
    "query.action": "action",
}

OF_ITS_STATE = (
    "complete_agreement", "decline_agreement", "discard_draft", "end_agreement", "leave_agreement",
    "list_agreement_readers", "narrow_terms", "propose_agreement", "propose_amendment", "redraft_agreement",
    "withdraw_proposal",
)  # fmt: skip
"""These take an agreement in one state, and mostly leave it in another: each has agreements of its own."""


def told(pools: dict[str, list[str]]) -> dict[str, Any]:
    """The part of schemathesis' configuration that holds the ids."""
    kinds = {
        "goal": "goal_id",
        "evidence_item": "evidence_item_id",
        "learning_agreement": "learning_agreement_id",
    }
    pools = {
        **pools,
        "resource": [f"{kind}:{found}" for kind, name in kinds.items() for found in pools[name]],
        "action": ["goal:read", "evidence_item:read", "learning_agreement:read"],
        "principle": ["1", "9"],
        "redirect_uri": ["https://app.example/callback"],
        # Some come again: then the record is there already.
        "fresh": [str(uuid7()) for _ in range(400)],
        "parent": [*pools["organisation_id"], *pools["network_id"]],
        "any": ["*"],
    }
    bound: dict[str, tuple[str, float]] = {
        "header.If-Match": ("any", OFTEN),
        "body.id": ("fresh", OFTEN),
        "body.parent_id": ("parent", HALF),
        "query.parent_id": ("parent", HALF),
    }
    names = {name: name for name in pools if name.endswith("_id")} | _BY_NAME
    for name, pool in names.items():
        bound[f"path.{name}"] = pool, OFTEN
        bound[f"query.{name}"] = pool, HALF
        bound[f"body.{name}"] = pool, OFTEN
    bound |= {f"path.{name}": (name, OFTEN) for name in ("code", "slug", "number", "version")}
    bound |= {place: (pool, OFTEN) for place, pool in _INSIDE.items() if pool in pools}
    return {
        "dictionaries": {name: {"values": values} for name, values in pools.items()},
        "parameters": {
            place: {"dictionary": pool, "probability": often}
            for place, (pool, often) in bound.items()
        },
        "operations": [
            *(
                _own(operation, "learning_agreement_id", f"agreement_for_{operation}")
                for operation in OF_ITS_STATE
            ),
            _own("disable_client", "client_id", "client_to_disable"),
            _own("accept_affiliation", "affiliation_id", "affiliation_to_accept"),
            _own("refuse_affiliation", "affiliation_id", "affiliation_to_refuse"),
        ],
    }


def _own(operation: str, parameter: str, pool: str) -> dict[str, Any]:
    """An operation that takes from a pool of its own, and nothing that it has read elsewhere."""
    return {
        "include-operation-id": operation,
        "parameters": {f"path.{parameter}": {"dictionary": pool, "probability": 1.0}},
        "phases": {
            name: {"extra-data-sources": {"responses": False}}
            for name in ("examples", "coverage", "fuzzing")
        },
    }
