"""`/event-types/{name}/schemas`: the versions of a schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiohttp import web

from localdev.nakadi.event_types.definition import read_schema
from localdev.nakadi.event_types.event_type_rules import check_evolution
from localdev.nakadi.http import body_reader
from localdev.nakadi.http.answers import json_answer
from localdev.nakadi.http.negotiation import demand_json
from localdev.nakadi.http.problem import EvolutionError, FieldsError, ProblemError
from localdev.nakadi.http.request_body import plain_body

if TYPE_CHECKING:
    from localdev.nakadi.json_value import JsonObject
    from localdev.nakadi.local_nakadi import LocalNakadi

_LIMIT, _LIMIT_MAX = 20, 1000


class SchemaRoutes:
    """Handlers for the schemas of event types of one local Nakadi."""

    def __init__(self, nakadi: LocalNakadi) -> None:
        self._nakadi = nakadi

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        all_of = "/event-types/{name}/schemas"
        return [
            web.get(all_of, self.list),
            web.post(all_of, self.add),
            web.get(all_of + "/{version}", self.read),
            web.post(all_of + "/{version}/compatibility-check", self.check),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of all versions, newest first."""
        name = request.match_info["name"]
        schemas = self._nakadi.event_types.schemas(name)[::-1]
        limit = body_reader.number(request.query.get("limit"), _LIMIT)
        offset = body_reader.number(request.query.get("offset"), 0)
        if not 1 <= limit <= _LIMIT_MAX:
            raise ProblemError(400, "'limit' parameter sholud have value between 1 and 1000")
        if offset < 0:
            raise ProblemError(400, "'offset' parameter can't be lower than 0")
        links: dict[str, dict[str, str]] = {}
        path = f"/event-types/{name}/schemas"
        if offset > 0:
            links["prev"] = {"href": f"{path}?offset={max(offset - limit, 0)}&limit={limit}"}
        if len(schemas) > offset + limit:
            links["next"] = {"href": f"{path}?offset={offset + limit}&limit={limit}"}
        return json_answer({"items": schemas[offset : offset + limit], "_links": links})

    async def add(self, request: web.Request) -> web.Response:
        """Update only the schema."""
        demand_json(request)
        schema = read_schema(await plain_body(request))
        name = request.match_info["name"]
        if request.query.get("fetch", "false") == "true":
            return json_answer(self._same(name, schema))
        original = self._nakadi.event_types.find(name).definition
        self._nakadi.event_types.update(name, {**original, "schema": schema})
        return web.Response()

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one version, or the latest."""
        return json_answer(self._schema(request))

    async def check(self, request: web.Request) -> web.Response:
        """Answer whether a schema could follow a version, and change nothing."""
        demand_json(request)
        text = body_reader.text(body_reader.read_object(await plain_body(request)), "schema")
        if text is None:
            raise FieldsError([("schema", "must not be null")])
        against = self._schema(request)
        definition = self._nakadi.event_types.find(request.match_info["name"]).definition
        original: JsonObject = {**definition, "schema": against}
        answer: JsonObject = {
            "compatible": True,
            "compatibility_mode": definition["compatibility_mode"],
        }
        try:
            check_evolution(original, {**original, "schema": {**against, "schema": text}})
        except EvolutionError as error:
            answer.update(compatible=False, error=error.detail)
        return json_answer({**answer, "validated_against_version": against["version"]})

    def _same(self, name: str, wanted: JsonObject) -> JsonObject:
        """Return the latest version with this schema, regardless of white space."""
        text = json.loads(str(wanted["schema"]))
        for schema in reversed(self._nakadi.event_types.schemas(name)):
            if json.loads(str(schema["schema"])) == text:
                return schema
        raise ProblemError(404, f"schema is not found for {name}")

    def _schema(self, request: web.Request) -> JsonObject:
        name, version = request.match_info["name"], request.match_info["version"]
        schemas = self._nakadi.event_types.schemas(name)
        if version == "latest":
            return schemas[-1]
        for schema in schemas:
            if schema["version"] == version:
                return schema
        raise ProblemError(404, f'EventType "{name}" has no schema with version "{version}"')
