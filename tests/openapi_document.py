"""What a validator lets through in openapi.yaml: a key twice, and a text with a comma that YAML took for another key."""

import sys

import yaml

faults = []


class Loader(yaml.SafeLoader):
    """A loader that notes each key that stands twice in a mapping; YAML keeps the last one silently."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                faults.append(f"line {key.start_mark.line + 1}: {key.value!r} stands twice")
            seen.add(key.value)
            # Names of the specification have no spaces; `{ description: One, two }` makes a key of the second word.
            if " " in key.value or not key.value:
                faults.append(f"line {key.start_mark.line + 1}: {key.value!r} is no key: quote the text before it")
        return super().construct_mapping(node, deep)


def references(node):
    """Every `$ref` of the document."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.load(file, Loader)
used = set(references(document))
for kind, components in document["components"].items():
    if kind == "securitySchemes":
        continue
    for name in components:
        if f"#/components/{kind}/{name}" not in used:
            faults.append(f"components/{kind}/{name} is not used")
if faults:
    sys.exit("\n".join(faults))
print("no key stands twice, every component is used")
