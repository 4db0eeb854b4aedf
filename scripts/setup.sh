#!/bin/sh
# Finds PostgreSQL and a C compiler (with "browser" also Chromium and its driver), installs them on Debian as root, or says in one line what
# to install.
set -eu
has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
has_compiler() { command -v cc >/dev/null 2>&1; }
missing=""
has_postgres || missing="$missing postgresql"
has_compiler || missing="$missing gcc libc6-dev"
[ "${1:-}" != browser ] || command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium chromium-driver"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2
    # Silta starts private servers of its own, so Debian's cluster is not needed.
    mkdir -p /etc/postgresql-common
    grep -qs create_main_cluster /etc/postgresql-common/createcluster.conf ||
        echo 'create_main_cluster = false' >>/etc/postgresql-common/createcluster.conf
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $missing >&2
else
    echo "please install:$missing (Debian: sudo apt-get install$missing)" >&2
    exit 1
fi
