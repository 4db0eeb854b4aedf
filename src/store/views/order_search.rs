//! The search for orders: the beginning of an order number, a reference or a tracking code, or a whole product code.
//!
//! Each kind of text is found by an index of its own. Of one that matches more than [`MAX_MATCHES`] of a connection's orders,
//! the highest are looked at, and of a product code the newest: a text so short is no question, and no list is slow by it.

use sqlx::{Postgres, QueryBuilder};

use super::order_filter::{CursorKey, OrderPage, OrderSort};
use crate::domain::product::CodeKey;

/// The most matches of each kind in a connection.
pub(super) const MAX_MATCHES: i64 = 500;

/// Adds a table `found` of connection and subject, for the connections of table `wanted`.
pub(super) fn push_found(sql: &mut QueryBuilder<Postgres>, text: &str, sort: OrderSort, page: &OrderPage) {
    let text = text.trim();
    sql.push(", found as materialized (select distinct connection, subject from (");
    let lower = text.to_lowercase();
    let numbers = is_number(text).then(|| ("subject", "status is not null", format!("order:{text}")));
    let texts = [
        ("lower(reference)", "reference is not null", lower.clone()),
        ("lower(tracking_code)", "tracking_code is not null", lower),
    ];
    for (column, index, prefix) in numbers.into_iter().chain(texts) {
        push_prefix(sql, column, index, prefix);
        sql.push(" union all ");
    }
    push_code(sql, text, sort, page);
    sql.push(") each)");
}

/// Adds a table `reasoned` of connection and subject: orders that have a task of this reason, open or closed as not done.
pub(super) fn push_reasoned(sql: &mut QueryBuilder<Postgres>, reason: &str) {
    sql.push(
        ", reasoned as materialized (
            select connection, subject from task
            where connection in (select name from wanted) and kind = 'order'
              and state in ('pending', 'leased', 'in_doubt') and reason = ",
    );
    sql.push_bind(reason.to_owned()).push(
        "   union
            select matched.connection, matched.subject from wanted cross join lateral (
                select connection, subject from task
                where connection = wanted.name and kind = 'order' and state in ('skipped', 'dead', 'cancelled')
                  and reason = ",
    );
    sql.push_bind(reason.to_owned()).push(format!(" order by number desc limit {MAX_MATCHES}) matched)"));
}

/// True for what may be the beginning of an order number.
pub(super) fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The rows of which a column begins with a text: a range of the index, whatever the database's collation.
fn push_prefix(sql: &mut QueryBuilder<Postgres>, column: &str, index: &str, prefix: String) {
    sql.push("(select matched.connection, matched.subject from wanted cross join lateral (")
        .push("select connection, subject from subject_state where connection = wanted.name and status is not null and ")
        .push(index)
        .push(format!(" and {column} ~>=~ "));
    let end = end_of(&prefix);
    sql.push_bind(prefix);
    if let Some(end) = end {
        sql.push(format!(" and {column} ~<~ ")).push_bind(end);
    }
    sql.push(format!(" order by {column} using ~>~ limit {MAX_MATCHES}) matched)"));
}

/// The orders with a product code, from the page's place on where they come newest or oldest first.
fn push_code(sql: &mut QueryBuilder<Postgres>, text: &str, sort: OrderSort, page: &OrderPage) {
    sql.push("(select matched.connection, matched.subject from wanted cross join lateral (")
        .push("select connection, subject from order_line where connection = wanted.name and code_key <> '' and code_key = ")
        .push_bind(CodeKey::of(text).into_string());
    let direction =
        if sort == OrderSort::Oldest { ("first_task_id > ", "asc") } else { ("first_task_id < ", "desc") };
    let after = page.after.as_ref().filter(|after| after.key == CursorKey::None);
    if let Some(after) = after {
        sql.push(" and ").push(direction.0).push_bind(after.id);
    }
    sql.push(format!(" order by first_task_id {} limit {MAX_MATCHES}) matched)", direction.1));
}

/// The first text behind all that begin with this one, by their bytes.
fn end_of(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_prefix_is_behind_every_text_that_begins_with_it() {
        for (prefix, expected) in [
            ("104", Some("105")),
            ("19", Some("1:")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(end_of(prefix).as_deref(), expected, "{prefix:?}");
        }
    }
}
