"""described.py SOCKET SAMPLES: every call that /v1/openapi.json describes is made on a running daemon, and compared.

SAMPLES is JSON: {"ids": {path: {parameter: value}}, "query": {name, or path?name: value}, "bodies": {path: [type,
text]}, "never": [[method, path], …] (whose success is not to be had here)}. What takes something away is called last.
Prints what differs, a line each; nothing when all is as described.
"""
import copy, http.client, json, socket, sys, urllib.parse

import jsonschema

METHODS = ("get", "put", "post", "delete")


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(sys.argv[1])


def call(method, target, body=None):
    connection = Unix("localhost")
    headers = {"Content-Type": body[0]} if body else {}
    connection.request(method.upper(), target, body[1].encode() if body else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type") or "", answer.read()


samples = json.loads(sys.argv[2])
document = json.loads(call("get", "/v1/openapi.json")[2])
wrong = []


def closed(schema):
    """The schema with no other properties than those that are described."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "allOf" in schema:
        whole = {"type": "object", "properties": {}, "required": []}
        for part in schema["allOf"]:
            while "$ref" in part:
                part = document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
            whole["properties"].update(part["properties"])
            whole["required"] += part.get("required", [])
        return closed(whole)
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        made.setdefault("additionalProperties", False)
    return made


strict = copy.deepcopy(document)
strict["components"]["schemas"] = {name: closed(one) for name, one in document["components"]["schemas"].items()}
resolver = jsonschema.RefResolver("", strict)


def check(where, schema, value):
    validator = jsonschema.Draft202012Validator(closed(schema), resolver=resolver)
    for error in validator.iter_errors(value):
        wrong.append(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")


def is_problem(where, status, kind, body, wanted=None):
    if wanted is not None and status != wanted:
        wrong.append(f"{where}: {status} in place of {wanted}")
    if kind != "application/problem+json":
        wrong.append(f"{where}: {status} with {kind}")
        return
    value = json.loads(body)
    check(where, {"$ref": "#/components/schemas/Problem"}, value)
    if value["status"] != status:
        wrong.append(f"{where}: {status} says that it is {value['status']}")


def target_of(path, query=()):
    for name, value in samples["ids"].get(path, {}).items():
        path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
    if "{" in path:
        path = path.replace("{id}", "nothing").replace("{mailbox}", "nothing").replace("{part}", "0")
    return path + ("?" + urllib.parse.urlencode(query) if query else "")


def sample(path, name):
    return samples["query"].get(f"{path}?{name}", samples["query"].get(name, "1"))


def make(method, path, query=()):
    """One call as described; its status."""
    operation = document["paths"][path][method]
    body = samples["bodies"].get(path) if "requestBody" in operation else None
    status, kind, said = call(method, target_of(path, query), body)
    where = f"{method} {target_of(path, query)}"
    described = operation["responses"].get(str(status))
    if described is None:
        is_problem(where, status, kind, said)
        return status
    contents = described.get("content", {})
    media = kind.split(";")[0]
    if not contents and said:
        wrong.append(f"{where}: {status} has a body that is not described")
    elif contents and media not in contents:
        wrong.append(f"{where}: {status} with {kind}")
    elif media == "application/json":
        check(where, contents[media]["schema"], json.loads(said))
    return status


operations = [(method, path) for path, item in document["paths"].items() for method in METHODS if method in item]
operations.sort(key=lambda one: (one[0] == "delete", -len(one[1]) if one[0] == "delete" else 0))
succeeded = set()
for method, path in operations:
    operation = document["paths"][path][method]
    query = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    needed = [(one["name"], sample(path, one["name"])) for one in query if one.get("required")]
    if make(method, path, needed) < 300:
        succeeded.add((method, path))
    if operation.get("security") == [] and not path.startswith("/v1"):
        continue
    known = {one["name"] for one in query}
    for name in known:
        value = sample(path, name)
        others = [one for one in needed if one[0] != name]
        status, kind, said = call(method, target_of(path, [(name, value)] + others), samples["bodies"].get(path))
        if status < 300:
            succeeded.add((method, path))
        if status == 400 and b"unknown or malformed parameter" in said:
            wrong.append(f"{method} {path}: does not take {name}={value}")
    if path == "/v1/openapi.json":
        continue
    where = f"{method} {path}?nonsense=1"
    is_problem(where, *call(method, target_of(path, [("nonsense", "1")])), wanted=400)

for path, item in document["paths"].items():
    for method in METHODS:
        if method in item:
            continue
        where = f"{method} {path}"
        is_problem(where, *call(method, target_of(path)), wanted=405)
for path in ("/v1/nothing", "/v1", "/v1/mailboxes/a/b/c", "/v2/status"):
    is_problem(path, *call("get", path), wanted=404)

for method, path in operations:
    if (method, path) not in succeeded and [method, path] not in samples["never"]:
        wrong.append(f"{method} {path}: never succeeded")
print("\n".join(wrong), end="")
