#!/bin/bash
# Asks a demo's admin API for everything that can be read, then runs schemathesis against it: every answer must be one that
# openapi.yaml documents.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh schemathesis "schemathesis>=4.3,<5" "jsonschema[format]>=4.26,<5" "pyyaml>=6,<7")
# shellcheck disable=SC2016
scripts/with_demo.sh bash -c '"$(dirname "$0")/python" tests/openapi_answers.py && "$0" --config-file tests/schemathesis.toml run openapi.yaml --url "$SILTA_URL" \
    --header "Authorization: Bearer $SILTA_TOKEN" --include-path-regex "^/(admin|livez|readyz|metrics|openapi)" \
    --phases examples,coverage,fuzzing --max-examples 20 --suppress-health-check all --warnings off "$@"' "$venv/bin/st" "$@"
