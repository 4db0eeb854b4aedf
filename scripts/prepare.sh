#!/bin/sh
# Checks every query! against a private PostgreSQL with this tree's migrations and writes the results to .sqlx, so that everyone
# else builds without a database. `prepare.sh --check` fails if .sqlx is out of date.
set -eu
cd "$(dirname "$0")/.."
bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -d "$bin" ] || bin=$(dirname "$(command -v initdb)")
dir=$(mktemp -d /tmp/silta-prepare.XXXXXX)
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
fi
trap 'as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
as "$bin/initdb" -D "$dir/data" -U silta -A trust -E UTF8 --no-sync >/dev/null
as "$bin/pg_ctl" -D "$dir/data" -w -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off" \
    -l "$dir/log" start >/dev/null
for file in migrations/*.sql; do
    psql -qX -v ON_ERROR_STOP=1 -h "$dir" -U silta -d postgres -f "$file"
done
# The migrator's own table, so that the readiness query can be checked too.
psql -qX -h "$dir" -U silta -d postgres -c 'create table _sqlx_migrations (version bigint primary key,
    description text not null, installed_on timestamptz not null default now(), success boolean not null,
    checksum bytea not null, execution_time bigint not null)'

rm -rf "$dir/sqlx" && mkdir "$dir/sqlx"
touch src/lib.rs
DATABASE_URL="postgres://silta@localhost/postgres?host=$dir" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$dir/sqlx" \
    cargo check --quiet --lib
if [ "${1:-}" = --check ]; then
    diff -rq "$dir/sqlx" .sqlx || { echo "error: .sqlx is out of date: run 'make prepare'" >&2; exit 1; }
else
    rm -rf .sqlx && cp -r "$dir/sqlx" .sqlx
fi
