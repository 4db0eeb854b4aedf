//! What a command prints.

#[expect(clippy::print_stdout, reason = "the result of a command goes to standard output")]
pub(super) fn print_line(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the error of a command goes to standard error")]
pub(super) fn print_error(text: &str) {
    eprintln!("{text}");
}
