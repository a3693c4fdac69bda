"""Files of evidence items: whoever reads the item reads its files."""

from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from app.access.evidence import EVIDENCE_ITEMS, file_of, files_of, key_of
from app.access.gates import Owned, Row, one
from app.access.grants import Action
from app.actions import evidence
from app.api.evidence.shapes import EvidenceFileOut, EvidenceOut
from app.core import downloads, uploads
from app.core.files import store
from app.core.media_types import SUFFIXES
from app.core.pages import Whole
from app.core.routes import Route
from app.models.evidence import EvidenceItem

router = APIRouter(prefix="/v1/evidence-items", tags=["Evidence"], route_class=Route)

Reader = Annotated[Row, one(Action.EVIDENCE_READ, EVIDENCE_ITEMS)]
FileId = Annotated[UUID, Path(description="Id of the file.")]

# Bytes first: of several types a generator of clients takes the first.
_BYTES = {
    name: {"schema": {"type": "string", "format": "binary"}}
    for name in ("application/octet-stream", *SUFFIXES)
}
_RANGE: dict[str, Any] = {
    "parameters": [
        {
            "name": "Range",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": 200},
            "description": "One range of bytes, to go on where a download broke off.",
        }
    ]
}


@router.get("/{evidence_item_id}/files", summary="List the files of an evidence item")
async def list_evidence_files(row: Reader) -> Whole[EvidenceFileOut]:
    """Its files, oldest first: there are at most twenty."""
    return {"items": files_of(row.data), "next": None}  # type: ignore[return-value]


@router.post(
    "/{evidence_item_id}/files",
    status_code=201,
    summary="Add a file to an evidence item",
    openapi_extra=uploads.FORM,
)
async def add_evidence_file(
    row: Annotated[Row, one(Action.EVIDENCE_ADD_FILE, EVIDENCE_ITEMS, streams=True)],
    request: Request,
) -> EvidenceFileOut:
    """For its learner. One file, in the part `file`; its kind is told by its content. Pictures lose
    what a camera writes into them (place, time, device), so what is stored may differ from what was
    sent."""
    if "idempotency-key" not in request.headers:
        # With a key it may be the repeat of the one that filled the item: asked when it is written.
        await evidence.check_takes_files(row.access, row.id)
    stored = await uploads.receive(request)
    added = await evidence.add_file(row.access, row.id, stored)
    row.access.location = f"{EVIDENCE_ITEMS.path}/{row.id}/files/{added['id']}"
    return added  # type: ignore[return-value]


@router.get("/{evidence_item_id}/files/{file_id}", summary="Read what is known of a file")
async def read_evidence_file(row: Reader, file_id: FileId) -> EvidenceFileOut:
    """Name, type, size and digest of one file. Its ETag is that of the item."""
    return file_of(row.data, file_id)  # type: ignore[return-value]


@router.get(
    "/{evidence_item_id}/files/{file_id}/content",
    summary="Download a file",
    response_class=Response,
    openapi_extra=_RANGE,
    responses={
        200: {"description": "The file", "content": _BYTES},
        206: {"description": "The range that was asked for", "content": _BYTES},
    },
)
async def download_evidence_file(row: Reader, file_id: FileId, request: Request) -> Response:
    """The bytes of one file, to be saved; whole, or the range that is asked for."""
    file = file_of(row.data, file_id)
    key = await key_of(row, file_id)
    return await downloads.answer(
        request,
        partial(store().read, key),
        name=file["name"],
        media_type=file["media_type"],
        size=file["size"],
        sha256=file["sha256"],
    )


@router.delete("/{evidence_item_id}/files/{file_id}", status_code=204, summary="Delete a file")
async def delete_evidence_file(
    owned: Annotated[Owned[EvidenceItem], one(Action.EVIDENCE_DELETE, EVIDENCE_ITEMS, EvidenceOut)],
    file_id: FileId,
) -> None:
    """For its learner; If-Match takes the ETag of the item."""
    await evidence.delete_file(owned, file_id)
