#!/bin/bash
# A client generated from openapi.yaml by a public generator (openapi-python-client), at work beside a demo.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(scripts/python.sh client "openapi-python-client>=0.26,<0.30")
rm -rf target/client
# Ruff, by which the generator would make its files prettier, is no part of what is tried.
printf 'post_hooks: []\n' >target/client.yaml
"$venv/bin/openapi-python-client" generate --path openapi.yaml --output-path target/client --config target/client.yaml \
    --meta none
PYTHONPATH=target scripts/with_demo.sh "$venv/bin/python" tests/generated_client.py
