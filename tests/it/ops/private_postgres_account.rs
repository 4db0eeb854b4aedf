//! What the account of a private PostgreSQL gets from this process, and where it could lead root. Where tests do not run as root,
//! there is one account and the second half of these has nothing to show.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use silta::runtime::embedded_postgres::{Installations, Launch};

use super::fake_postgres::{end_fake_server, fake_programs};

fn launch(directory: &Path, data_dir: &Path, start: &str) -> Launch {
    let programs = fake_programs(directory, 15, start);
    Launch::new(data_dir).installations(Installations::in_dirs([programs]))
}

/// The user id of the account that the server gets under root; `None` where this is not root.
fn server_account() -> Option<u32> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    id(&["-u", "postgres"]).or_else(|| id(&["-u", "nobody"]))
}

fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

fn error_of(launch: Launch) -> String {
    format!("{:#}", launch.start().err().expect("it is refused"))
}

/// The environment of this process may hold every secret of the service.
#[test]
fn server_gets_nothing_of_the_environment_but_path_and_language() {
    let directory = directory();
    let data_dir = directory.path().join("data");
    let private = launch(directory.path(), &data_dir, "env > \"$cluster/environment\"").start().unwrap();
    let environment = fs::read_to_string(data_dir.join("cluster/environment")).unwrap();
    end_fake_server(&data_dir);
    drop(private);
    let names: Vec<_> = environment.lines().filter_map(|line| line.split_once('=')).map(|it| it.0).collect();
    assert!(names.contains(&"PATH") && names.contains(&"LANG"), "{environment}");
    // The shell of the fake programs adds the others.
    let known = ["PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"];
    assert!(names.iter().all(|name| known.contains(name)), "{environment}");
    assert!(std::env::vars_os().count() > 2, "there was something to leave out");
}

/// An earlier version gave the data directory to the server's account, which can put links in it.
#[test]
fn root_follows_no_link_of_the_servers_account() {
    let Some(account) = server_account() else { return };
    for name in ["silta.lock", "postgres.log", "run", "cluster.unfinished", "upgrade"] {
        let directory = directory();
        let [data_dir, victim] = ["data", "victim"].map(|name| directory.path().join(name));
        fs::create_dir(&data_dir).unwrap();
        fs::create_dir(&victim).unwrap();
        symlink(&victim, data_dir.join(name)).unwrap();
        chown(&data_dir, Some(account), None).unwrap();
        let before = fs::metadata(&victim).unwrap();
        let error = error_of(launch(directory.path(), &data_dir, ""));
        assert!(error.contains(name) && error.contains("remove it"), "{error}");
        let after = fs::metadata(&victim).unwrap();
        assert_eq!((after.uid(), after.mode()), (before.uid(), before.mode()), "{name}");
        assert_eq!(fs::read_dir(&victim).unwrap().count(), 0, "{name}");
    }
}

#[test]
fn root_keeps_the_data_directory_and_its_names() {
    let Some(account) = server_account() else { return };
    let directory = directory();
    let data_dir = directory.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    chown(&data_dir, Some(account), None).unwrap();
    let private = launch(directory.path(), &data_dir, "").start().unwrap();
    let found = |name: &str| fs::metadata(data_dir.join(name)).unwrap();
    for (name, owner, rights) in [
        (".", 0, 0o710),
        ("silta.lock", 0, 0o600),
        ("postgres.log", 0, 0o600),
        ("run", account, 0o700),
        ("cluster", account, 0o700),
    ] {
        assert_eq!((found(name).uid(), found(name).mode() & 0o777), (owner, rights), "{name}");
    }
    end_fake_server(&data_dir);
    drop(private);
    // What the account writes into its cluster is read with its own rights.
    let secret = directory.path().join("secret");
    fs::write(&secret, "root's secret").unwrap();
    fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    fs::remove_file(data_dir.join("cluster/PG_VERSION")).unwrap();
    symlink(&secret, data_dir.join("cluster/PG_VERSION")).unwrap();
    let error = error_of(launch(directory.path(), &data_dir, ""));
    assert!(error.contains("cannot read") && !error.contains("secret"), "{error}");
}

/// The owner of the directory above could replace everything below it.
#[test]
fn root_takes_no_data_directory_below_one_that_others_can_write() {
    let Some(account) = server_account() else { return };
    let directory = directory();
    let above = directory.path().join("above");
    fs::create_dir(&above).unwrap();
    let refused = |data_dir: PathBuf| {
        let error = error_of(launch(directory.path(), &data_dir, ""));
        assert!(error.contains("above can be written by others"), "{error}");
        assert_eq!(fs::read_dir(&above).unwrap().count(), 0, "nothing was created there");
    };
    fs::set_permissions(&above, PermissionsExt::from_mode(0o777)).unwrap();
    refused(above.join("data"));
    refused(above.join("new/data"));
    let link = directory.path().join("link");
    symlink(&above, &link).unwrap();
    refused(link.join("new/data"));
    fs::set_permissions(&above, PermissionsExt::from_mode(0o755)).unwrap();
    chown(&above, Some(account), None).unwrap();
    refused(above.join("data"));
}

/// The socket of a data directory with a long path is in the temporary directory, where anybody can be first.
#[test]
fn temporary_directory_of_another_is_not_adopted() {
    let directory = directory();
    let data_dir = directory.path().join("long".repeat(25));
    fs::create_dir(&data_dir).unwrap();
    let real = data_dir.canonicalize().unwrap();
    let digest = silta::domain::digest::sha256_hex(real.as_os_str().as_encoded_bytes());
    let squatted = std::env::temp_dir().join(format!("silta-{}", &digest[..16]));
    fs::create_dir(&squatted).unwrap();
    fs::set_permissions(&squatted, PermissionsExt::from_mode(0o777)).unwrap();
    let error = error_of(launch(directory.path(), &data_dir, ""));
    assert!(error.contains("is no directory of account"), "{error}");
    fs::remove_dir(&squatted).unwrap();
    let private = launch(directory.path(), &data_dir, "").start().unwrap();
    assert_eq!(fs::metadata(&squatted).unwrap().mode() & 0o777, 0o700);
    end_fake_server(&data_dir);
    drop(private);
    fs::remove_dir_all(&squatted).unwrap();
}
