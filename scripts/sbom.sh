#!/bin/bash
# Writes the software bill of materials to target/sbom/silta.cdx.json with cargo-cyclonedx.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=target/tools
if ! [ -x "$tools/bin/cargo-cyclonedx" ]; then
    cargo install --quiet --locked --root "$tools" cargo-cyclonedx --version ^0.5
fi
PATH="$PWD/$tools/bin:$PATH" cargo cyclonedx --format json --override-filename silta.cdx >/dev/null
mkdir -p target/sbom
mv silta.cdx.json target/sbom/
python3 - <<'PY'
import json
bom = json.load(open("target/sbom/silta.cdx.json"))
assert bom["bomFormat"] == "CycloneDX" and len(bom["components"]) > 100
assert all(component.get("licenses") for component in bom["components"]), "a crate without a licence"
print(f"target/sbom/silta.cdx.json: {len(bom['components'])} crates")
PY
