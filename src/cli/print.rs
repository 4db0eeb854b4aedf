//! What a command prints. Texts of others may be in all of it: nothing reaches the terminal that it would obey.

use std::io::{ErrorKind, Write};

use crate::domain::plain_text::{escape_controls, escape_controls_in_lines};

/// The status of a program that ends by SIGPIPE, as shells report it. Rust ignores that signal.
const ENDED_BY_SIGPIPE: i32 = 128 + 13;

/// Prints a line, or several that we have put together. Ends the process where nobody reads any more, as after `| head -1`:
/// so what a command has to do is done before it prints.
pub(super) fn print_line(text: &str) {
    let written = writeln!(std::io::stdout(), "{}", escape_controls_in_lines(text));
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(ENDED_BY_SIGPIPE),
        Err(error) => print_error(&format!("error: cannot print: {error}")),
        Ok(()) => {}
    }
}

/// Prints a line with a text of others in it: a line break there must not forge another line.
pub(super) fn print_foreign(text: &str) {
    print_line(&escape_controls(text));
}

/// Prints an error to standard error; where nobody reads that, there is nobody to print it for.
pub(super) fn print_error(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", escape_controls_in_lines(text));
}
