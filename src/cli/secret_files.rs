//! Warns of secrets that every account of the machine can read.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Anybody may read the file, or pass through the directory.
const READ_BY_ANYBODY: u32 = 0o004;
const PASSED_BY_ANYBODY: u32 = 0o001;

/// Those of the files that every account can read. A file that cannot be looked at cannot be read either.
pub(super) fn readable_by_anybody(files: &[PathBuf]) -> Vec<&Path> {
    files.iter().map(PathBuf::as_path).filter(|file| is_readable_by_anybody(file)).collect()
}

/// The file's own mode is not enough: nobody gets into a directory that only its owner may enter.
fn is_readable_by_anybody(file: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    let allows = |path: &Path, bit: u32| path.metadata().is_ok_and(|it| it.permissions().mode() & bit != 0);
    allows(&file, READ_BY_ANYBODY) && file.ancestors().skip(1).all(|it| allows(it, PASSED_BY_ANYBODY))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn file_is_readable_where_its_directories_let_everybody_in() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("key");
        fs::write(&file, "secret").expect("a file");
        let files = [file.clone(), directory.path().join("none")];
        for (of_directory, of_file, expected) in
            [(0o755, 0o644, 1), (0o755, 0o640, 0), (0o750, 0o644, 0), (0o711, 0o604, 1)]
        {
            fs::set_permissions(directory.path(), Permissions::from_mode(of_directory)).expect("a mode");
            fs::set_permissions(&file, Permissions::from_mode(of_file)).expect("a mode");
            assert_eq!(readable_by_anybody(&files).len(), expected, "{of_directory:o} {of_file:o}");
        }
    }
}
