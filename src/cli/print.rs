//! What a command prints. Texts of others may be in all of it: nothing reaches the terminal that it would obey.

use crate::domain::plain_text::{escape_controls, escape_controls_in_lines};

/// Prints a line, or several that we have put together.
#[expect(clippy::print_stdout, reason = "the result of a command goes to standard output")]
pub(super) fn print_line(text: &str) {
    println!("{}", escape_controls_in_lines(text));
}

/// Prints a line with a text of others in it: a line break there must not forge another line.
pub(super) fn print_foreign(text: &str) {
    print_line(&escape_controls(text));
}

#[expect(clippy::print_stderr, reason = "the error of a command goes to standard error")]
pub(super) fn print_error(text: &str) {
    eprintln!("{}", escape_controls_in_lines(text));
}
