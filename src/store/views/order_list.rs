//! The list of orders: one statement for each filter and sorting, so that every one comes from an index, page by page.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{
    order_filter::{CursorKey, OrderFilter, OrderPage, OrderSort, SortKey},
    order_row::{OrderRow, SELECT},
    order_search::{is_number, push_found, push_reasoned},
};
use crate::{
    domain::{Timestamp, id::first_id_at, order::OrderStatus},
    store::Result,
};

/// The shop's zone, in which its days are (docs/contract.md §1.2).
const ZONE: &str = "'Europe/Helsinki'";

/// The statuses of an order that is on its way.
const ON_ITS_WAY: &str = "known.status in ('not_transferred', 'waiting_for_collection', 'waiting_for_products', 'needs_attention')";

/// The states of an open task.
const OPEN: &str = "state in ('pending', 'leased', 'in_doubt')";

/// Of orders that have a task and were not read yet: the tasks.
const UNREAD: &str = "kind = 'order' and state in ('pending', 'leased', 'in_doubt') and not exists (
    select 1 from subject_state
    where subject_state.connection = task.connection and subject_state.subject = task.subject
      and subject_state.status is not null
)";

/// Lists orders. One that has a task but was not read yet is listed as not transferred.
pub async fn list(
    db: &mut PgConnection,
    filter: &OrderFilter,
    page: &OrderPage,
    now: Timestamp,
) -> Result<Vec<OrderRow>> {
    let mut statement = Statement { sql: QueryBuilder::new("with wanted as ("), filter, page, now };
    statement.push();
    // Planned for these values each time: which index is best depends on them.
    let query = statement.sql.build_query_as().persistent(false);
    Ok(query.fetch_all(db).await?)
}

/// Finds one order.
pub async fn find(db: &mut PgConnection, connection: &str, order_id: &str) -> Result<Option<OrderRow>> {
    let subject = format!("order:{order_id}");
    let mut sql = QueryBuilder::<Postgres>::new(
        "with page as (
            select first_task_id as id, connection, subject, true as is_read, null::timestamptz as opened_at
            from subject_state where status is not null and connection = ",
    );
    sql.push_bind(connection).push(" and subject = ").push_bind(&subject);
    sql.push(" union all select id, connection, subject, false, created_at from task where connection = ")
        .push_bind(connection)
        .push(" and subject = ")
        .push_bind(&subject)
        .push(format!(" and {UNREAD}) {SELECT}"));
    Ok(sql.build_query_as().fetch_optional(db).await?)
}

/// A statement that is being built.
struct Statement<'a> {
    sql: QueryBuilder<Postgres>,
    filter: &'a OrderFilter,
    page: &'a OrderPage,
    now: Timestamp,
}

impl Statement<'_> {
    fn push(&mut self) {
        match &self.filter.connection {
            Some(name) => self.sql.push("select ").push_bind(name.clone()).push(" as name)"),
            None => self.sql.push("select name from connection)"),
        };
        let text = self.filter.q.as_deref().filter(|text| !text.trim().is_empty());
        let mut found = Vec::new();
        if let Some(text) = text {
            push_found(&mut self.sql, text, self.filter.sort, self.page);
            found.push("found");
        }
        if let Some(reason) = &self.filter.reason {
            push_reasoned(&mut self.sql, reason);
            found.push("reasoned");
        }
        let order = self.order_by();
        self.sql.push(", page as (select * from (");
        self.push_read(&found, &order);
        if self.may_be_unread() {
            self.sql.push(" union all ");
            self.push_unread(text, &order);
        }
        self.sql
            .push(format!(") each order by {order} limit "))
            .push_bind(self.page.limit)
            .push(") ")
            .push(SELECT);
        let direction = self.direction();
        self.sql.push(format!(" order by page.sort_key {direction}, page.id {direction}"));
    }

    /// The orders that were read, of what was found. A list of several connections is made of a page of each, and so is one of
    /// several statuses where the index of its sorting is by status.
    fn push_read(&mut self, found: &[&str], order: &str) {
        let key = self.key_of_read();
        let columns = format!(
            "select first_task_id as id, known.connection, known.subject, true as is_read,
                    null::timestamptz as opened_at, {key} as sort_key"
        );
        if found.is_empty() {
            self.sql.push("(select listed.* from wanted ");
            let is_by_status = self.is_sorted_by_status();
            if is_by_status {
                self.sql
                    .push("cross join unnest(")
                    .push_bind(OrderStatus::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>())
                    .push("::text[]) as each_of (status) ");
            }
            self.sql.push(format!(
                "cross join lateral ({columns} from subject_state known where known.connection = wanted.name and "
            ));
            if is_by_status {
                self.sql.push("known.status = each_of.status and ");
            }
        } else {
            let tables = found.join(" join ");
            let using = if found.len() > 1 { " using (connection, subject)" } else { "" };
            self.sql.push(format!(
                "(select * from ({columns} from {tables}{using}
                 join subject_state known using (connection, subject) where "
            ));
        }
        self.sql.push("known.status is not null");
        self.push_conditions();
        self.push_place(key, "first_task_id");
        self.sql.push(format!(" order by {} limit ", self.order_in_index(key))).push_bind(self.page.limit);
        self.sql.push(format!(") listed order by {order} limit ")).push_bind(self.page.limit).push(")");
    }

    fn push_conditions(&mut self) {
        let filter = self.filter;
        if let Some(status) = &filter.status {
            // A known word, so that a plan is made for how many have it.
            let known =
                OrderStatus::parse(status).map(|status| format!(" and known.status = '{}'", status.as_str()));
            self.sql.push(known.unwrap_or_else(|| " and false".to_owned()));
        }
        match filter.waiting {
            Some(true) => self.sql.push(" and waiting_since is not null"),
            Some(false) => self.sql.push(" and waiting_since is null"),
            None => &mut self.sql,
        };
        if let Some(method) = &filter.shipping_method {
            self.sql.push(" and shipping_method = ").push_bind(method.clone());
        }
        if filter.has_days() {
            self.sql.push(" and ordered_at is not null");
        }
        if let Some(day) = filter.placed_from {
            self.sql
                .push(" and ordered_at >= (")
                .push_bind(day)
                .push(format!("::date)::timestamp at time zone {ZONE}"));
        }
        if let Some(day) = filter.placed_to {
            self.sql
                .push(" and ordered_at < (")
                .push_bind(day)
                .push(format!("::date + 1)::timestamp at time zone {ZONE}"));
        }
        if let Some(before) = self.waits_since() {
            // By the shop's time, and for what has none by when it was first seen.
            self.sql
                .push(format!(" and {ON_ITS_WAY} and coalesce(ordered_at < "))
                .push_bind(before)
                .push(", first_task_id < ")
                .push_bind(first_id_at(before))
                .push(")");
        }
        if let Some(reason) = &filter.reason {
            self.sql.push(format!(
                " and (
                    select task.reason from task
                    where task.connection = known.connection and task.subject = known.subject
                      and (settled_at is not null or {OPEN})
                    order by number desc limit 1
                ) = "
            ));
            self.sql.push_bind(reason.clone());
        }
    }

    /// Behind the place where the page begins.
    fn push_place(&mut self, key: &str, id: &str) {
        let Some(after) = &self.page.after else { return };
        let sign = if self.filter.sort == OrderSort::Oldest { ">" } else { "<" };
        match &after.key {
            CursorKey::None => self.sql.push(format!(" and {id} {sign} ")).push_bind(after.id),
            CursorKey::Time(time) => self
                .sql
                .push(format!(" and ({key}, {id}) {sign} (coalesce("))
                .push_bind(*time)
                .push(", '-infinity'::timestamptz), ")
                .push_bind(after.id)
                .push(")"),
            CursorKey::Total(total) => self
                .sql
                .push(format!(" and ({key}, {id}) {sign} (coalesce("))
                .push_bind(total.clone())
                .push("::numeric, '-infinity'::numeric), ")
                .push_bind(after.id)
                .push(")"),
        };
    }

    /// Orders that were not read yet: their open tasks, few of all tasks. "offset 0" keeps a plan from walking the closed ones
    /// for them.
    fn push_unread(&mut self, text: Option<&str>, order: &str) {
        let key = match self.filter.sort_key() {
            SortKey::Id | SortKey::Placed => "id",
            SortKey::Changed => "created_at",
            SortKey::Total => "'-infinity'::numeric",
        };
        self.sql.push(format!(
            "(select id, connection, subject, false, created_at, {key} as sort_key
             from (select * from task where {OPEN} offset 0) as task
             where connection in (select name from wanted) and {UNREAD}"
        ));
        if let Some(text) = text {
            self.sql.push(" and starts_with(subject, ").push_bind(format!("order:{}", text.trim())).push(")");
        }
        if let Some(reason) = &self.filter.reason {
            self.sql.push(" and reason = ").push_bind(reason.clone());
        }
        if let Some(before) = self.waits_since() {
            self.sql.push(" and id < ").push_bind(first_id_at(before));
        }
        self.push_place(key, "id");
        self.sql.push(format!(" order by {order} limit ")).push_bind(self.page.limit).push(")");
    }

    /// Whether an order that was not read yet may be in the list.
    fn may_be_unread(&self) -> bool {
        let OrderFilter { status, q, waiting, shipping_method, .. } = self.filter;
        let is_status = status.as_deref().is_none_or(|status| status == OrderStatus::NotTransferred.as_str());
        let is_text = q.as_deref().map(str::trim).is_none_or(|text| text.is_empty() || is_number(text));
        is_status && is_text && *waiting != Some(true) && shipping_method.is_none() && !self.filter.has_days()
    }

    fn waits_since(&self) -> Option<Timestamp> {
        let hours = chrono::Duration::hours(self.filter.waits_hours?.into());
        self.now.checked_sub_signed(hours)
    }

    /// True where a page of each status is read, since the index of the sorting is by status and no status is asked for.
    fn is_sorted_by_status(&self) -> bool {
        let is_by_status = matches!(self.filter.sort_key(), SortKey::Changed | SortKey::Total);
        is_by_status && self.filter.status.is_none() && !self.has_old_days()
    }

    /// True where fewer orders were placed on the filter's days than since then: they are read and sorted.
    fn has_old_days(&self) -> bool {
        let OrderFilter { placed_from, placed_to, .. } = self.filter;
        let (Some(from), Some(to)) = (placed_from, placed_to) else { return false };
        *to - *from < self.now.date_naive() - *to
    }

    /// The sorting's value, written as in its index.
    fn key_of_read(&self) -> &'static str {
        match self.filter.sort_key() {
            SortKey::Id => "first_task_id",
            SortKey::Placed => "ordered_at",
            // Not as in its index, which would be walked over everything that changed since those days.
            SortKey::Changed if self.has_old_days() => {
                "(coalesce(changed_at, '-infinity'::timestamptz) + interval '0')"
            }
            SortKey::Changed => "coalesce(changed_at, '-infinity'::timestamptz)",
            SortKey::Total => "coalesce(total, '-infinity'::numeric)",
        }
    }

    const fn direction(&self) -> &'static str {
        if matches!(self.filter.sort, OrderSort::Oldest) { "asc" } else { "desc" }
    }

    fn order_by(&self) -> String {
        let direction = self.direction();
        format!("sort_key {direction}, id {direction}")
    }

    fn order_in_index(&self, key: &str) -> String {
        let direction = self.direction();
        match self.filter.sort_key() {
            SortKey::Id => format!("first_task_id {direction}"),
            _ => format!("{key} {direction}, first_task_id {direction}"),
        }
    }
}
