//! The list of orders as a CSV file (RFC 4180), for a spreadsheet: the same filter, the same columns, page by page.

use axum::{
    body::{Body, Bytes},
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream::{self, StreamExt as _};

use super::{
    deps::DashboardState, error::PageError, order_query::OrderQuery, order_table::mapped, user::User,
};
use crate::{
    domain::{order::OrderStatus, task::reason::Reason},
    explain::{self, order_texts},
    store::views::orders::{self, OrderCursor, OrderFilter, OrderPage, OrderRow},
};

/// The most orders in a file.
pub(super) const MAX_ROWS: i64 = 10_000;

/// Orders that are read at once.
const PAGE_ROWS: i64 = 500;

/// Streams the file. Each page is read by a statement of its own, while the browser takes the one before.
pub(super) async fn download(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<OrderQuery>,
) -> Result<Response, PageError> {
    let filter = query.filter(&user);
    let head = heading(&user);
    let file = File { deps, user, filter, after: None, written: 0, is_over: false };
    // The first page before the answer begins: a database that is gone is an error, not half a file.
    let (first, file) = file.next_page().await?;
    let begin = stream::iter([Ok::<_, std::io::Error>(Bytes::from(head + &first))]);
    let rest = stream::try_unfold(file, |file: File| async move {
        if file.is_over {
            return Ok(None);
        }
        let read = file.next_page().await;
        let (page, file) = read.map_err(|_| std::io::Error::other("the list could not be read"))?;
        Ok(Some((Bytes::from(page), file)))
    });
    let body = Body::from_stream(begin.chain(rest));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"orders.csv\""),
    ];
    Ok((headers, body).into_response())
}

/// A file that is being written.
struct File {
    deps: DashboardState,
    user: User,
    filter: OrderFilter,
    after: Option<OrderCursor>,
    written: i64,
    is_over: bool,
}

impl File {
    async fn next_page(mut self) -> Result<(String, Self), PageError> {
        let rows_left = MAX_ROWS - self.written;
        let limit = PAGE_ROWS.min(rows_left) + 1; // one more, to know whether there are more
        let page = OrderPage { after: self.after.take(), limit };
        let mut db = self.deps.pool.acquire().await?;
        let mut rows = orders::list(&mut db, &self.filter, &page, self.user.now).await?;
        drop(db);
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let has_more = read == limit;
        if has_more {
            rows.pop();
        }
        self.written += read.min(limit - 1);
        self.after = rows.last().map(|row| self.filter.cursor_of(row));
        let mut text: String =
            rows.into_iter().map(|row| line(&self.user, &self.user.audience().order(row))).collect();
        if has_more && self.written >= MAX_ROWS {
            let cut = order_texts(self.user.language)
                .csv_cut
                .replace("{}", &explain::number_text(MAX_ROWS, self.user.language));
            text += &record(&[Cell::Text(cut)]);
        }
        self.is_over = !has_more || self.written >= MAX_ROWS;
        Ok((text, self))
    }
}

/// A value of a record.
enum Cell {
    /// What somebody wrote; a spreadsheet must not take it for a formula.
    Text(String),
    /// A number or a time, which Silta wrote.
    Plain(String),
}

fn heading(user: &User) -> String {
    let texts = order_texts(user.language);
    let names = [
        texts.number,
        texts.connection,
        texts.total,
        texts.currency,
        texts.lines_column,
        texts.pieces_column,
        texts.status,
        texts.reason,
        texts.method,
        texts.at_warehouse_as,
        texts.placed,
        texts.last_change,
        texts.reference,
        texts.tracking,
    ];
    // A byte order mark: spreadsheets take a file without one for Latin-1.
    format!("\u{feff}{}", record(&names.map(|name| Cell::Text(name.to_owned()))))
}

fn line(user: &User, order: &OrderRow) -> String {
    let time =
        |at: crate::domain::Timestamp| at.with_timezone(&user.zone).format("%Y-%m-%d %H:%M:%S").to_string();
    let status = OrderStatus::parse(&order.status).map(|status| explain::status_text(status, user.language));
    let reason = order.reason.as_deref().and_then(Reason::parse);
    let reason = reason.map(|reason| explain::reason_text(reason, user.language).replace('`', ""));
    let text = |value: &Option<String>| Cell::Text(value.clone().unwrap_or_default());
    record(&[
        Cell::Plain(order.order_id.clone()),
        Cell::Text(order.connection.clone()),
        number(order.total.as_deref()),
        text(&order.currency),
        Cell::Plain(order.line_count.map(|count| count.to_string()).unwrap_or_default()),
        number(order.pieces.as_deref()),
        Cell::Text(status.unwrap_or(&order.status).to_owned()),
        Cell::Text(reason.unwrap_or_default()),
        text(&order.shipping_method),
        Cell::Text(mapped(user, order)),
        Cell::Plain(order.ordered_at.map(time).unwrap_or_default()),
        Cell::Plain(time(order.changed_at.unwrap_or(order.updated_at))),
        text(&order.reference),
        text(&order.tracking_code),
    ])
}

/// A number of the database.
fn number(text: Option<&str>) -> Cell {
    let text = text.unwrap_or_default();
    let is_number = text.parse::<rust_decimal::Decimal>().is_ok();
    if is_number { Cell::Plain(text.to_owned()) } else { Cell::Text(text.to_owned()) }
}

fn record(cells: &[Cell]) -> String {
    let cells: Vec<_> = cells.iter().map(Cell::written).collect();
    cells.join(",") + "\r\n"
}

impl Cell {
    fn written(&self) -> String {
        let text = match self {
            Self::Text(text) if is_formula(text) => format!("'{text}"),
            Self::Plain(text) | Self::Text(text) => text.clone(),
        };
        if text.contains([',', '"', '\n', '\r', ';']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    }
}

/// True for what spreadsheets run: it begins like a formula, perhaps behind spaces.
fn is_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cell_that_looks_like_a_formula_is_a_text() {
        for (text, expected) in [
            ("Posti", "Posti"),
            ("=1+1", "'=1+1"),
            ("  @SUM(A1)", "'  @SUM(A1)"),
            ("-2", "'-2"),
            ("+358", "'+358"),
            ("\t=1", "'\t=1"),
            ("a,b", "\"a,b\""),
            ("=A1,\"x\"", "\"'=A1,\"\"x\"\"\""),
            ("a\nb", "\"a\nb\""),
        ] {
            assert_eq!(Cell::Text(text.to_owned()).written(), expected, "{text:?}");
        }
        assert_eq!(number(Some("-5.00")).written(), "-5.00");
        assert_eq!(number(Some("=5")).written(), "'=5");
    }
}
