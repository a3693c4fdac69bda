"""Writes of networks and their members."""

from app.actions.networks.members import add_member, change_member, confirm_member, end_member
from app.actions.networks.single import change_network, found_network

__all__ = [
    "add_member",
    "change_member",
    "change_network",
    "confirm_member",
    "end_member",
    "found_network",
]
