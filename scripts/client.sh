#!/bin/bash
# Generates a client from openapi.yaml with openapi-python-client and runs it against a demo.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh client "openapi-python-client>=0.26,<0.30")
rm -rf target/client
# The generator would format its files with Ruff, which is not installed.
printf 'post_hooks: []\n' >target/client.yaml
"$venv/bin/openapi-python-client" generate --path openapi.yaml --output-path target/client --config target/client.yaml \
    --meta none
PYTHONPATH=target scripts/with_demo.sh "$venv/bin/python" tests/generated_client.py
