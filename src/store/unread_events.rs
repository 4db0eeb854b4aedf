//! Webhooks whose subject was not found: they belong to no task, and may hold what a person sent all the same.

use sqlx::PgConnection;

use super::Result;
use crate::domain::Timestamp;

/// Empties the bodies that name an order: by its number, its reference at the warehouse, or its id at either vendor. Where
/// a number stands for something else, too much is erased and not too little. Returns how many there were.
pub(super) async fn erase(
    db: &mut PgConnection,
    connection: &str,
    (subject, number): (&str, &str),
    now: Timestamp,
) -> Result<u64> {
    let names = sqlx::query_scalar!(
        r#"select name as "name!" from (
               select unnest(array[reference, mycashflow_id, ogoship_id]) as name
               from subject_state where connection = $1 and subject = $2
               union
               select unnest(array[reference, remote_id]) from action where connection = $1 and subject = $2
           ) known where name <> ''"#,
        connection,
        subject,
    );
    let mut names = names.fetch_all(&mut *db).await?;
    names.push(number.to_owned());
    let patterns: Vec<_> = names.iter().map(|name| pattern_of(name)).collect();
    let erased = sqlx::query!(
        "update event set body = '', redacted_at = $3
         where connection = $1 and task_id is null and redacted_at is null and octet_length(body) > 0
           and encode(body, 'escape') ~* any($2)",
        connection,
        &patterns,
        now,
    );
    Ok(erased.execute(db).await?.rows_affected())
}

/// What may stand before a name: no digit, unless it ends an escaped byte or, in JSON, an escaped character.
const BOUNDARY: &str = r"(^|[^0-9]|\\[0-7]{3}|\\\\u[0-9a-f]{4})";

/// A regular expression that finds a name in a body as `encode(…, 'escape')` writes it, and not in a longer number.
fn pattern_of(name: &str) -> String {
    let escaped = name.bytes().map(|byte| match byte {
        b'\\' => r"\\\\".to_owned(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte if byte.is_ascii_graphic() || byte == b' ' => format!("\\{}", char::from(byte)),
        byte if byte.is_ascii() && byte != 0 => format!("\\u{byte:04x}"),
        byte => format!(r"\\{byte:03o}"),
    });
    format!("{BOUNDARY}{}([^0-9]|$)", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_twice() {
        assert_eq!(pattern_of("kauppa-1042"), format!(r"{BOUNDARY}kauppa\-1042([^0-9]|$)"));
        assert_eq!(pattern_of(r".*\"), format!(r"{BOUNDARY}\.\*\\\\([^0-9]|$)"));
        assert_eq!(pattern_of("ä1"), format!(r"{BOUNDARY}\\303\\2441([^0-9]|$)"));
    }
}
