"""SCIM 2.0 (RFC 7643, 7644): an organisation's directory brings its people, and takes them away."""

from app.api.scim.routes import router

__all__ = ["router"]
