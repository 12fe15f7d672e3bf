"""What values.schema.json says of the value `routes`, made from the routes of the service.

In a list only the shape of a route is judged, and that Helm has read no key as true or false; the
service judges all of it. A text is judged by the service alone.
"""

from typing import Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from consumer.settings.route_definition import MOST_ROUTES, RouteDefinition

Schema = dict[str, object]

ROUTES: Final = "routes"
"""Is a value of its own, beside `config`: a text that Helm does not read."""

AS_WRITTEN: Final[Schema] = {"$ref": "#/definitions/asWritten"}
DEFINITIONS: Final[Schema] = {
    "asWritten": {
        "description": 'In a list, quote the key "N": Helm reads it as false.',
        "properties": {"true": False, "false": False},
        "additionalProperties": AS_WRITTEN,
        "items": AS_WRITTEN,
    },
    "route": {
        "type": "object",
        "additionalProperties": False,
        "required": ["event_type"],
        "properties": dict.fromkeys(RouteDefinition.model_fields, AS_WRITTEN),
    },
}
VALUE: Final[Schema] = {
    "type": ["string", "array", "null"],
    "maxItems": MOST_ROUTES,
    "items": {"$ref": "#/definitions/route"},
}
ONE_OF_TWO: Final[Schema] = {
    "if": {"properties": {ROUTES: {"enum": ["", [], None]}}},
    "else": {"properties": {"config": {"properties": {"event_type": {"enum": ["", None]}}}}},
}
"""An event type, or routes."""


class Lenient(GenerateJsonSchema):
    """Has no schema for what only a route has, such as a compiled filter."""

    def handle_invalid_for_json_schema(self, schema: object, error_info: str) -> JsonSchemaValue:
        return {}
