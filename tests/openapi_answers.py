"""Asks a running Silta for everything that openapi.yaml says can be read: each answer has what its schema says and no more."""

import copy
import json
import os
import re
import urllib.parse
import urllib.request

import yaml
from jsonschema import Draft202012Validator

with open("openapi.yaml", encoding="utf-8") as file:
    document = yaml.safe_load(file)


def target(schema):
    """The schema that a `$ref` names."""
    node = document
    for name in schema["$ref"].removeprefix("#/").split("/"):
        node = node[name]
    return node


def whole(schema, is_part=False):
    """The schema without references, in which an object has no property but those that are named."""
    while "$ref" in schema:
        schema = target(schema)
    schema = copy.copy(schema)
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            schema[key] = [whole(part, key == "allOf") for part in schema[key]]
    for name, value in schema.get("properties", {}).items():
        schema["properties"] = {**schema["properties"], name: whole(value)}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = whole(schema[key])
    is_object = "properties" in schema or "allOf" in schema
    if is_object and not is_part and "additionalProperties" not in schema:
        schema["unevaluatedProperties"] = False
    return schema


def get(path):
    request = urllib.request.Request(os.environ["SILTA_URL"] + path)
    request.add_header("Authorization", "Bearer " + os.environ["SILTA_TOKEN"])
    with urllib.request.urlopen(request) as answer:
        return answer.headers.get_content_type(), answer.read().decode()


def post(path, body):
    data = json.dumps(body).encode()
    request = urllib.request.Request(os.environ["SILTA_URL"] + path, data, {"Content-Type": "application/json"})
    request.add_header("Authorization", "Bearer " + os.environ["SILTA_TOKEN"])
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def first(path):
    return json.loads(get(path)[1])["items"][0]


connection = first("/admin/v1/connections")["name"]
for what in ("products", "stock", "orders"):
    post("/admin/v1/syncs", {"connection": connection, "what": what, "dry_run": True})
replay = post("/admin/v1/replays", {"filter": {"state": "done"}, "limit": 1})["id"]
order = first("/admin/v1/orders")
values = {
    "name": [connection],
    "connection": [connection],
    "order_id": [order["order_id"]],
    "vendor": ["mycashflow", "ogoship"],
    "tasks": [first("/admin/v1/tasks")["id"]],
    "events": [first("/admin/v1/events")["id"]],
    "syncs": [item["id"] for item in json.loads(get("/admin/v1/syncs")[1])["items"][:3]],
    "replays": [replay],
}


def paths(template):
    """The template with every value that is known for its parameters; `id` is known by the list before it."""
    name = re.search(r"{(\w+)}", template)
    if not name:
        return [template]
    kind = template[: name.start()].rstrip("/").rsplit("/", 1)[-1] if name[1] == "id" else name[1]
    filled = (template.replace(name[0], urllib.parse.quote(str(value)), 1) for value in values[kind])
    return [path for one in filled for path in paths(one)]


checked = 0
for template, operations in document["paths"].items():
    if "get" not in operations or not template.startswith(("/admin/", "/livez", "/readyz")):
        continue
    expected = operations["get"]["responses"]["200"]["content"]
    for path in paths(template):
        content_type, text = get(path)
        assert content_type in expected, f"{path}: {content_type}"
        if content_type != "application/json":
            continue
        validator = Draft202012Validator(
            whole(expected[content_type]["schema"]), format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        errors = [f"{path}: {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(json.loads(text))]
        assert not errors, "\n".join(errors)
        checked += 1
print(f"{checked} answers are what openapi.yaml says")
