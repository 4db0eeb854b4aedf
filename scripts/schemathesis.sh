#!/bin/bash
# Runs schemathesis against a demo's admin API: every answer must be one that openapi.yaml documents.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh schemathesis "schemathesis>=4.3,<5")
# shellcheck disable=SC2016
scripts/with_demo.sh bash -c '"$0" --config-file tests/schemathesis.toml run openapi.yaml --url "$SILTA_URL" \
    --header "Authorization: Bearer $SILTA_TOKEN" --include-path-regex "^/(admin|livez|readyz|metrics|openapi)" \
    --phases examples,coverage,fuzzing --max-examples 20 --suppress-health-check all --warnings off "$@"' "$venv/bin/st" "$@"
