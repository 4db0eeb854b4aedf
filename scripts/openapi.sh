#!/bin/bash
# Checks that openapi.yaml is valid OpenAPI: a validator against the specification's own schema, and what that lets through.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh openapi "openapi-spec-validator>=0.9,<1" "pyyaml>=6,<7" "jsonschema[format]>=4.26,<5")
"$venv/bin/openapi-spec-validator" --subschema-errors all openapi.yaml
"$venv/bin/python" tests/openapi_document.py openapi.yaml
