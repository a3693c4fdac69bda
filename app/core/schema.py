"""What the OpenAPI document says of values whose rules are code of our own."""

from typing import Any


class Says:
    """What the document says of a value of our own, in words of JSON Schema; nothing is checked again."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The schema with the keywords added."""
        return {**handler(schema), **self.keywords}
