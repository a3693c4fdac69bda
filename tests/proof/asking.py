"""What is sent for a row of the table: address, parameters, headers and a body that is right."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from app.access.sign_in import PUBLIC_CLIENT, documentation_redirect
from app.core import one_time
from app.models.agreement_text import OBLIGATIONS
from tests.proof.asked import Asked
from tests.proof.people import SECRET_OF_THE_APP
from tests.proof.stage import Scene
from tests.proof.texts import LATER

KINDS = {
    "goal_id": "goal",
    "evidence_item_id": "evidence",
    "learning_agreement_id": "agreement",
    "network_id": "network",
    "share_id": "share",
    "person_id": "person",
    "affiliation_id": "affiliation",
    "organisation_id": "organisation",
    "opening_id": "opening",
    "identity_provider_id": "identity_provider",
    "client_id": "client",
    "invitation_id": "invitation",
    "address_change_id": "address_change",
    "session_id": "session",
    "second_factor_id": "second_factor",
    "sign_in_identity_id": "sign_in_identity",
}
"""The kind of record that each parameter of a path names."""
RESOURCES = {"goal": "goal", "evidence_item": "evidence", "learning_agreement": "agreement"}
_BOUNDARY = "proof-of-access"


def _at_school(scene: Scene) -> dict[str, Any]:
    place = scene.ids["organisation"]["school"]
    return {"organisation_id": place, "role": "teacher", "starts_on": "2026-01-01"}


def _share(scene: Scene, record: str) -> dict[str, Any]:
    return {
        "goal_id": scene.ids["goal"][record],
        "person_id": scene.ids["person"]["newcomer"],
        "reason": "Advice.",
        "ends_on": LATER,
    }


def _goal(scene: Scene, record: str) -> dict[str, Any]:
    main, learner = scene.ids["agreement"]["main"], scene.ids["person"]["learner"]
    under = {"own": {}, "main": {"agreement_id": main}}
    under["for_learner"] = {"agreement_id": main, "owner_id": learner}
    return {"statement": "Pupils give reasons.", **under[record]}


def _evidence(scene: Scene, record: str) -> dict[str, Any]:
    under = {"agreement_id": scene.ids["agreement"]["main"]} if record == "main" else {}
    return {"kind": "other", "title": "Talk in pairs", **under}


def _signature(scene: Scene, record: str) -> dict[str, Any]:
    digest = scene.digests["amendment" if record == "main" else "proposed"]
    return {"digest": digest, "obligations": list(OBLIGATIONS)}


def _member(scene: Scene, record: str, me: str) -> dict[str, Any]:
    if record == "self":
        return {"person_id": me}
    return {"organisation_id": scene.ids["organisation"]["college"], "role": "specialist"}


def _organisation(scene: Scene, record: str) -> dict[str, Any]:
    above = {"parent_id": scene.ids["organisation"]["school"]} if record == "below" else {}
    return {"kind": "school", "name": "New", **above}


def _provider(scene: Scene) -> dict[str, Any]:
    return {
        "organisation_id": scene.ids["organisation"]["school"],
        "name": "New",
        "issuer": "https://login.example",
        "client_id": "tandem",
        "client_secret": "a-secret-of-the-school",
    }


def _link(scene: Scene) -> dict[str, Any]:
    return {
        "provider_id": scene.ids["identity_provider"]["hwb"],
        "redirect_uri": documentation_redirect(),
    }


_UNKNOWN = "01a07ae1-9800-7000-8000-00000000dead"


def _client(scene: Scene, record: str) -> dict[str, Any]:
    """An integration of the school or of the network, or an app."""
    made: dict[str, Any] = {"name": "New", "scopes": ["goals:read"]}
    if record == "app":
        return {**made, "kind": "public", "redirect_uris": ["org.example.app:/back"]}
    kind = "organisation" if record == "school" else "network"
    return {**made, f"{kind}_id": scene.ids[kind][record]}


_AGREEMENT = "/v1/learning-agreements/{learning_agreement_id}"
_MEMBER = "/v1/networks/{network_id}/members"

BODIES: dict[str, Callable[[Scene, str, str], Any]] = {
    "POST /v1/goals": lambda s, r, me: _goal(s, r),
    "PATCH /v1/goals/{goal_id}": lambda s, r, me: {"statement": "Another wording."},
    "POST /v1/goals/{goal_id}/acceptances": lambda s, r, me: {"wording_number": 1},
    "POST /v1/goals/{goal_id}/progress": lambda s, r, me: {"note": "It went well."},
    "POST /v1/evidence-items": lambda s, r, me: _evidence(s, r),
    "PATCH /v1/evidence-items/{evidence_item_id}": lambda s, r, me: {"title": "Another title"},
    "POST /v1/shares": lambda s, r, me: _share(s, r),
    "POST /v1/learning-agreements": lambda s, r, me: {
        "parties": [{"person_id": me, "role": "learner"}]
    },
    f"PATCH {_AGREEMENT}": lambda s, r, me: {"purpose": "Another purpose."},
    f"POST {_AGREEMENT}/signatures": lambda s, r, me: _signature(s, r),
    f"POST {_AGREEMENT}/amendments": lambda s, r, me: {"changes": {"purpose": "Another purpose."}},
    f"POST {_AGREEMENT}/narrowing": lambda s, r, me: {"goals": ["coaches"]},
    f"POST {_AGREEMENT}/detachments": lambda s, r, me: {"network_id": s.ids["network"]["network"]},
    "POST /v1/people": lambda s, r, me: {"name": "New", "affiliation": _at_school(s)},
    "PATCH /v1/people/{person_id}": lambda s, r, me: {"name": "Another name"},
    "POST /v1/people/{person_id}/disabling": lambda s, r, me: {"reason": "You have left."},
    "POST /v1/people/{person_id}/anonymisation/confirmation": lambda s, r, me: {
        "confirmation": "x"
    },
    "POST /v1/me/anonymisation": lambda s, r, me: {},
    "POST /v1/me/anonymisation/confirmation": lambda s, r, me: {"confirmation": "x"},
    "POST /v1/me/consents/withdrawal": lambda s, r, me: {"client_id": str(PUBLIC_CLIENT)},
    "POST /v1/me/recovery-codes": lambda s, r, me: {"code": "123456"},
    "POST /v1/me/second-factors": lambda s, r, me: {},
    "POST /v1/me/second-factors/{second_factor_id}/confirmation": lambda s, r, me: {
        "code": one_time.code_at(SECRET_OF_THE_APP, int(time.time()) // one_time.SECONDS)
    },
    "POST /v1/me/second-factors/{second_factor_id}/removal": lambda s, r, me: {"code": "123456"},
    "POST /v1/affiliations": lambda s, r, me: {
        "person_id": s.ids["person"]["newcomer"],
        **_at_school(s),
    },
    "PATCH /v1/affiliations/{affiliation_id}": lambda s, r, me: {"fraction": 0.5},
    "POST /v1/organisations": lambda s, r, me: _organisation(s, r),
    "PATCH /v1/organisations/{organisation_id}": lambda s, r, me: {"phone": "01248"},
    "POST /v1/identity-providers": lambda s, r, me: _provider(s),
    "PATCH /v1/identity-providers/{identity_provider_id}": lambda s, r, me: {"name": "Another"},
    "POST /v1/me/identity-links": lambda s, r, me: _link(s),
    "POST /v1/me/identity-links/completion": lambda s, r, me: {"link_id": _UNKNOWN, "code": "x"},
    "POST /v1/me/identity-links/removal": lambda s, r, me: {
        "identity_id": _UNKNOWN,
        "provider_id": s.ids["identity_provider"]["hwb"],
    },
    "POST /v1/me/joins": lambda s, r, me: {},
    "POST /v1/me/joins/completion": lambda s, r, me: {"join_code": "x"},
    "POST /v1/networks": lambda s, r, me: {"kind": "triad", "name": "New"},
    "PATCH /v1/networks/{network_id}": lambda s, r, me: {"remit": "Another remit."},
    f"POST {_MEMBER}": lambda s, r, me: _member(s, r, me),
    f"PATCH {_MEMBER}/{{network_member_id}}": lambda s, r, me: {"role": "specialist"},
    "POST /v1/clients": lambda s, r, me: _client(s, r),
    "PATCH /v1/clients/{client_id}": lambda s, r, me: {"name": "Another name"},
    "POST /v1/invitations": lambda s, r, me: {
        "person_id": s.ids["person"][r],
        "organisation_id": s.ids["organisation"]["school"],
        "email": "gwahoddiad@school.example",
    },
    "POST /v1/me/address-changes": lambda s, r, me: {
        "email": "arall@school.example",
        "password": "correct horse battery staple",
    },
    "PUT /v1/me/password": lambda s, r, me: {
        "current_password": "correct horse battery staple",
        "new_password": "tri gair ar y bont",
    },
    "POST /v1/openings": lambda s, r, me: {
        "agreement_id": s.ids["agreement"][r],
        "reason": "A court asks.",
        "minutes": 5,
    },
}
"""A right body for each operation that takes one: of the scene, the record and the caller's id."""


def address(scene: Scene, path: str, record: str) -> str:
    """The path of a row, filled in; of `main:3` the second half is a number or a file's name."""
    name, _, second = record.partition(":")
    name = name.replace("_with_", " with ")
    for parameter, kind in KINDS.items():
        if f"{{{parameter}}}" in path:
            here = "network" if "members" in path and kind == "network" else name
            path = path.replace(f"{{{parameter}}}", scene.ids[kind][here])
    if "{file_id}" in path:
        file = scene.ids["file"][f"{name} {second}" if second else name]
        path = path.replace("{file_id}", file)
    if "{network_member_id}" in path:
        path = path.replace("{network_member_id}", scene.ids["member"][name])
    path = path.replace("{fingerprint}", scene.fingerprints.get(name, ""))
    for parameter in ("code", "slug"):
        path = path.replace(f"{{{parameter}}}", name)
    return path.replace("{number}", second).replace("{version}", second)


def _query(scene: Scene, path: str, record: str) -> str:
    if path.startswith("/v1/access/"):
        kind, _, name = record.partition(":")
        asked = {"resource": f"{kind}:{scene.ids[RESOURCES[kind]][name]}"}
        if path.endswith("explanation"):
            word = "agreement" if kind == "learning_agreement" else kind
            asked["action"] = f"{word}:read"
        return urlencode(asked)
    return ""


def asked(scene: Scene, operation: str, record: str, me: str) -> Asked:
    """The request of a row by the caller with the id `me`."""
    method, _, path = operation.partition(" ")
    content_type, body = "", b""
    if operation in BODIES:
        content_type = "application/json"
        body = json.dumps(BODIES[operation](scene, record, me)).encode()
    elif method == "POST" and path.endswith("/files"):
        content_type = f"multipart/form-data; boundary={_BOUNDARY}"
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"'
        body = f"{head}\r\n\r\nSeven of ten.\r\n--{_BOUNDARY}--\r\n".encode()
    elif path.startswith("/oauth/") and method == "POST":
        content_type = "application/x-www-form-urlencoded"
        credentials = {
            "client_id": scene.ids["client"]["network_client"],
            "client_secret": scene.secrets["network_client"],
        }
        more = {"grant_type": "client_credentials"} if path.endswith("token") else {"token": "x"}
        body = urlencode({**more, **credentials}).encode()
    return Asked(
        method,
        address(scene, path, record),
        _query(scene, path, record),
        content_type,
        body,
        "*" if method in ("PATCH", "DELETE") else None,
    )
