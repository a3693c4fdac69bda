"""Writes of evidence items and their files."""

from app.actions.evidence.files import add_file, check_takes_files, delete_file, drop_files
from app.actions.evidence.items import delete_item, record_item, revise_item

__all__ = [
    "add_file",
    "check_takes_files",
    "delete_file",
    "delete_item",
    "drop_files",
    "record_item",
    "revise_item",
]
