//! The sections `[[admin.tokens]]`.

use super::{environment::SHELL_PREFIX, section::Section};
use crate::security::admin_token::{Role, Token};

pub(super) fn read_tokens(mut section: Section<'_>) -> Vec<Token> {
    let tokens: Vec<_> = section.tables("tokens").into_iter().map(read_token).collect();
    for (at, token) in tokens.iter().enumerate() {
        let has_same_name = |earlier: &Token| earlier.name == token.name;
        let has_same_value = |earlier: &Token| earlier.sha256 == token.sha256;
        if tokens[..at].iter().any(has_same_name) {
            let problem = format!("{:?} appears twice: the audit trail would not tell who acted", token.name);
            section.add_error("tokens", &problem);
        } else if tokens[..at].iter().any(has_same_value) {
            section.add_error("tokens", &format!("{:?} is the token of another name", token.name));
        }
    }
    section.finish();
    tokens
}

fn read_token(mut section: Section<'_>) -> Token {
    let name = section.required("name", "a name for the audit trail");
    let sha256 =
        section.required("token_sha256", "64 hex digits; `silta config token NAME` makes one").to_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        section.add_error("token_sha256", "must be 64 hex digits; `silta config token NAME` makes one");
    }
    if name.starts_with(SHELL_PREFIX) || name.contains(char::is_control) {
        let problem = format!("must be a plain name: {SHELL_PREFIX}… stands for the accounts of the shell");
        section.add_error("name", &problem);
    }
    let role = section.choice("role", &[("viewer", Role::Viewer), ("operator", Role::Operator)]);
    section.finish();
    Token { name, sha256, role }
}
