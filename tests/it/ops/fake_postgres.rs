//! Directories of small scripts in place of PostgreSQL's programs.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Its `postgres` says this version, writes its pid file as a server does, and runs this script in between; it ends once its
/// pid file is gone.
pub fn fake_programs(parent: &Path, version: u32, start: &str) -> PathBuf {
    let dir = parent.join(format!("programs-{version}"));
    let postgres = format!(
        r#"[ "$1" = --version ] && {{ echo "postgres (PostgreSQL) {version}.3 (fake)"; exit; }}
cluster=$2
for setting; do case $setting in unix_socket_directories=*) run=${{setting#*=}};; esac; done
status() {{ printf '%s\n' $$ "$cluster" 0 5432 "$run" "" "" "$1" > "$cluster/postmaster.pid"; }}
status starting
{start}
echo {version} > "$cluster/started-by"
: > "$run/.s.PGSQL.5432"
status ready
while [ -e "$cluster/postmaster.pid" ]; do sleep 0.1; done
"#
    );
    let initdb = format!(
        r#"for cluster; do :; done
mkdir -p "$cluster" && echo {version} > "$cluster/PG_VERSION"
"#
    );
    write_program(&dir, "postgres", &postgres);
    write_program(&dir, "initdb", &initdb);
    dir
}

/// Writes a program as a shell script.
pub fn write_program(dir: &Path, name: &str, script: &str) {
    std::fs::create_dir_all(dir).unwrap();
    let path = dir.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Lets the fake server of a data directory end.
pub fn end_fake_server(data_dir: &Path) {
    std::fs::remove_file(data_dir.join("cluster/postmaster.pid")).unwrap();
}
