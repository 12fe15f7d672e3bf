"""What becomes of the value `routes`: a file in every pod, as it was written, or a refusal."""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import yaml

from consumer.errors import Misconfigured
from consumer.settings.loading import load_settings
from consumer.settings.route_definition import RouteDefinition
from tests.chart.bench import Bench
from tests.chart.proofs.service_proofs import environment
from tests.chart.rendering import Manifest, Rendered, helm, own_container, refusal, render
from tests.chart.route_schema import ROUTES

FILE, FOLDER = "consumer.yaml", "/etc/consumer"
VARIABLE = "CONSUMER_CONFIG_FILE"
WITH_ROUTES = ("routes", "routes-list")
UNQUOTED = "[{event_type: a, filter: {item: {x: {S: [y], z: [{N: [{prefix: p}]}]}}}}]"
ROUTE: dict[str, object] = {"event_type": "a.b"}
SECRET = {"name": "CONSUMER_ROUTES", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}

# Values beside those of helm/ci/routes-values.yaml, and what Helm must say to them.
REFUSALS: tuple[tuple[dict[str, object], tuple[str, ...]], ...] = (
    ({"config": {"event_type": "a.b"}}, ("event_type",)),
    ({"routes": [ROUTE], "config": {"event_type": "a.b"}}, ("event_type",)),
    ({"routes": [{**ROUTE, "filtre": {}}]}, ("filtre",)),
    ({"routes": [{"name": "a"}]}, ("event_type",)),
    ({"routes": [{"event_type": f"a.b{n}"} for n in range(51)]}, ("routes",)),
    ({"routes": "event_type: a.b"}, ("routes: wanted a list of routes, in YAML.",)),
    ({"routes": "- a.b"}, ("routes: wanted a list of routes, in YAML.",)),
    ({"routes": "- event_type: [a"}, ("routes: wanted a list of routes, in YAML.",)),
    ({"config": {"application": ""}}, ("config.application, routes: wanted the name of",)),
    ({"config": {"exclude": "a"}}, ("routes, config.exclude: wanted at most one of the two",)),
    ({"extraEnv": [SECRET]}, ("routes, extraEnv CONSUMER_ROUTES: wanted only one",)),
)


def routes_are_mounted(bench: Bench) -> str:
    """Every pod finds the file that its variable names; without routes there is none."""
    mounted = 0
    for case in bench.cases():
        there = case.case in WITH_ROUTES
        assert bool(_files(case)) is there, case.case
        for _, spec in case.pods():
            container = own_container(spec)
            named = {each["name"]: each.get("value") for each in container["env"]}
            assert (VARIABLE in named) is there, case.case
            if there:
                (mount,) = (m for m in container["volumeMounts"] if m["name"] == ROUTES)
                (volume,) = (v for v in spec["volumes"] if v["name"] == ROUTES)
                (file,) = _files(case)
                assert named[VARIABLE] == f"{mount['mountPath']}/{FILE}"
                assert volume["configMap"]["name"] == file["metadata"]["name"]
                assert mount["readOnly"] is True
                mounted += 1
    return f"{mounted} containers"


def routes_are_as_written(bench: Bench) -> str:
    """The text reaches the service as it stands, and a list with the same meaning."""
    text = yaml.safe_load(Bench.values("routes").read_text())[ROUTES]
    (file,) = _files(bench.case("routes"))
    lines = [line.rstrip() for line in file["data"][FILE].splitlines()]
    assert lines == ["routes:", *indent(text, "  ").splitlines()]
    written = _routes(bench.case("routes"))
    assert [each.event_type.rpartition(".")[2] for each in written] == ["order", "payment", "rest"]
    listed = _routes(bench.case("routes-list"))
    (list_file,) = _files(bench.case("routes-list"))
    assert _filter(list_file) == _filter(file)
    assert (listed[0].exclude, listed[0].rename) == (written[0].exclude, written[0].rename)
    assert (listed[0].max_record_age_seconds, listed[1].patch) == (72000, False)
    return f"{len(written)} routes as text, {len(listed)} as a list"


def changed_routes_roll(bench: Bench) -> str:
    """Pods are replaced when their routes change: routes are read at the start only."""
    values = Bench.values("routes")
    before = _template(bench.case("routes"))
    assert _template(render(bench.helm, bench.chart, values)) == before
    for more in ("routes=- event_type: a.b", "routes=- event_type: a.c"):
        after = _template(render(bench.helm, bench.chart, values, "--set", more))
        assert after != before
        before = after
    assert "checksum/routes" not in _template(bench.case("minimal"))["metadata"]["annotations"]
    return "checksum/routes"


def mistaken_routes_are_refused(bench: Bench) -> str:
    """Above all a key that Helm has read as false, at any depth: its filter would never match."""
    for name in bench.tools.helms:
        unquoted = [f"routes: {UNQUOTED}", f"routes: {_quoted('Y')}"]
        for word, said in zip(("false", "true"), _refusal(bench, name, unquoted), strict=True):
            path = re.sub("[./]", " ", said)
            assert f"routes 0 filter item x z 0 {word}" in path, said
        for values, words in REFUSALS:
            (found,) = _refusal(bench, name, [json.dumps(values)])
            assert all(word in found for word in words), (name, values, found)
        program = bench.tools.helms[name]
        with tempfile.TemporaryDirectory(prefix="routes-") as folder:
            file = Path(folder) / "values.yaml"
            file.write_text(f"routes: {_quoted(chr(34) + 'N' + chr(34))}")
            base = ("template", str(bench.chart), "--values", str(Bench.values("routes")))
            helm(program, *base, "--values", str(file))
    return f"{len(REFUSALS) + 2} mistakes"


def values_that_are_no_text_end_the_start(bench: Bench) -> str:
    """What Helm, or YAML, has not read as text below `S`, the service refuses, in both forms."""
    written = "[{event_type: a, filter: {item: {country: {S: [%s]}}}}]"
    forms = {
        "text": ("--set-json", f"routes={json.dumps(written % 'NO')}"),
        "list": ("--set-json", 'routes=[{"event_type":"a","filter":{"item":{"x":{"S":[false]}}}}]'),
    }
    for name, more in forms.items():
        case = render(bench.helm, bench.chart, Bench.values("routes"), *more)
        assert re.search(r"route 1, line [0-9]+ \(a\), filter", _refused(case)), name
    return ", ".join(forms)


def _quoted(key: str) -> str:
    return UNQUOTED.replace("N: ", f"{key}: ")


def _refusal(bench: Bench, name: str, texts: Sequence[str]) -> list[str]:
    found = []
    with tempfile.TemporaryDirectory(prefix="routes-") as folder:
        for text in texts:
            file = Path(folder) / "values.yaml"
            file.write_text(text)
            base = ("template", str(bench.chart), "--values", str(Bench.values("routes")))
            found.append(refusal(bench.tools.helms[name], *base, "--values", str(file)))
    return found


def _files(case: Rendered) -> list[Manifest]:
    return [each for each in case.of_kind("ConfigMap") if FILE in each["data"]]


def _filter(file: Manifest) -> object:
    """The first filter, all of it as text: YAML's other types are not for keys such as N."""
    read = yaml.load(file["data"][FILE], yaml.BaseLoader)  # noqa: S506 - makes nothing but text
    return read[ROUTES][0]["filter"]


def _routes(case: Rendered) -> tuple[RouteDefinition, ...]:
    spec = case.the("Deployment")["spec"]["template"]["spec"]
    return load_settings(environment(case, own_container(spec))).routes


def _refused(case: Rendered) -> str:
    """What the service says; empty if it accepts."""
    try:
        _routes(case)
    except Misconfigured as error:
        return str(error)
    return ""


def _template(case: Rendered) -> Manifest:
    template: Manifest = case.the("Deployment")["spec"]["template"]
    return template
