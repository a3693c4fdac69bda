"""Writes of an organisation's directory: its users, as sign-in identities with their affiliations."""

from app.actions.scim.told import Told, comparable, role_of
from app.actions.scim.users import change_user, create_user, remove_user

__all__ = ["Told", "change_user", "comparable", "create_user", "remove_user", "role_of"]
