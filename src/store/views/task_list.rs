//! Lists of tasks. Each filter is answered by an index; one that none knows looks at a window of tasks for each page.

use sqlx::PgConnection;
use uuid::Uuid;

use super::overview::{TaskFilter, TaskRow};
use crate::{
    domain::task::state::TaskState,
    store::{Listed, Page, Result, page::WINDOW},
};

/// Lists tasks, newest first.
pub async fn list(db: &mut PgConnection, filter: &TaskFilter, page: &Page) -> Result<Vec<TaskRow>> {
    match &filter.subject {
        Some(subject) => list_of_subject(db, filter, subject, page).await,
        None => list_all(db, filter, page).await,
    }
}

/// Lists a page for a person. `page` asks for one row more than is shown.
pub async fn list_page(db: &mut PgConnection, filter: &TaskFilter, page: &Page) -> Result<Listed<TaskRow>> {
    if !needs_window(filter) {
        return Ok(page.listed(list(db, filter, page).await?, |row| row.id));
    }
    let listed = page.listed(list_window(db, filter, page).await?, |row| row.id);
    if listed.next.is_some() {
        return Ok(listed);
    }
    Ok(Listed { next: find_window_end(db, filter, page).await?, ..listed })
}

/// Nearly all tasks are done, and no index tells those of a kind or a connection apart.
fn needs_window(filter: &TaskFilter) -> bool {
    let TaskFilter { connection, state, kind, subject, reason, detail, .. } = filter;
    let is_of_most = state.as_deref().is_none_or(|state| state == TaskState::Done.as_str());
    let has_index = subject.is_some() || reason.is_some() || detail.is_some();
    is_of_most && !has_index && (connection.is_some() || kind.is_some())
}

/// The tasks of an index that the condition names. Every parameter of the condition is given, so that one plan serves all.
macro_rules! list_where {
    ($tasks:tt, $condition:tt, $filter:ident, $page:ident) => {{
        let (from, to) = $page.ids($filter.since, $filter.until);
        sqlx::query_as!(
            TaskRow,
            "select id, connection, kind, subject, state, reason, attempts, failures, due_at, created_at,
                    settled_at, replay_of
             from "
                + $tasks
                + " as task
             where "
                + $condition
                + "
               and ($1::text is null or connection = $1)
               and ($2::text is null or state = $2)
               and ($3::text is null or kind = $3)
               and ($4::text is null or reason = $4)
               and ($5::timestamptz is null or created_at >= $5)
               and ($6::timestamptz is null or created_at < $6)
               and id >= $7 and id < $8
               and ($10::text is null or $10 = (
                   select attempt.detail from attempt where task_id = task.id order by number desc limit 1
               ))
             order by id desc
             limit $9",
            $filter.connection,
            $filter.state,
            $filter.kind,
            $filter.reason,
            $filter.since,
            $filter.until,
            from,
            to,
            $page.limit,
            $filter.detail,
        )
    }};
}

async fn list_all(db: &mut PgConnection, filter: &TaskFilter, page: &Page) -> Result<Vec<TaskRow>> {
    let state = match &filter.state {
        Some(state) => match state.parse::<TaskState>() {
            Ok(state) => Some(state),
            Err(_) => return Ok(Vec::new()), // no task has it
        },
        None => None,
    };
    let rows = match state {
        Some(TaskState::Pending | TaskState::Leased | TaskState::InDoubt) => {
            // Few of all: "offset 0" keeps a plan from walking the closed ones for them.
            let open = list_where!(
                "(select * from task where state in ('pending', 'leased', 'in_doubt') offset 0)",
                "true",
                filter,
                page
            );
            open.fetch_all(db).await?
        }
        _ if filter.reason.is_some() => {
            list_where!("task", "reason is not null and reason = $4", filter, page).fetch_all(db).await?
        }
        Some(TaskState::Skipped | TaskState::Dead | TaskState::Cancelled) => {
            list_where!("task", "state in ('skipped', 'dead', 'cancelled') and state = $2", filter, page)
                .fetch_all(db)
                .await?
        }
        Some(TaskState::Done) | None => list_where!("task", "true", filter, page).fetch_all(db).await?,
    };
    Ok(rows)
}

async fn list_of_subject(
    db: &mut PgConnection,
    filter: &TaskFilter,
    subject: &str,
    page: &Page,
) -> Result<Vec<TaskRow>> {
    let rows = sqlx::query_as!(
        TaskRow,
        r#"
        select own.id as "id!", own.connection as "connection!", own.kind as "kind!", own.subject as "subject!",
               own.state as "state!", own.reason, own.attempts as "attempts!", own.failures as "failures!",
               own.due_at as "due_at!", own.created_at as "created_at!", own.settled_at, own.replay_of
        from connection
        cross join lateral (
            -- Each by the index that its condition names.
            select * from task
            where task.connection = connection.name and task.subject = $4 and settled_at is not null
            union all
            select * from task
            where task.connection = connection.name and task.subject = $4
              and state in ('pending', 'leased', 'in_doubt')
        ) own
        where ($1::text is null or connection.name = $1)
          and ($2::text is null or own.state = $2)
          and ($3::text is null or own.kind = $3)
          and ($5::text is null or own.reason = $5)
          and ($6::timestamptz is null or own.created_at >= $6)
          and ($7::timestamptz is null or own.created_at < $7)
          and ($8::uuid is null or own.id < $8)
          and ($10::text is null or $10 = (
              select attempt.detail from attempt where task_id = own.id order by number desc limit 1
          ))
        order by own.id desc
        limit $9
        "#,
        filter.connection,
        filter.state,
        filter.kind,
        subject,
        filter.reason,
        filter.since,
        filter.until,
        page.before,
        page.limit,
        filter.detail,
    );
    Ok(rows.fetch_all(db).await?)
}

async fn list_window(db: &mut PgConnection, filter: &TaskFilter, page: &Page) -> Result<Vec<TaskRow>> {
    let (from, to) = page.ids(filter.since, filter.until);
    let rows = sqlx::query_as!(
        TaskRow,
        r#"
        select id, connection, kind, subject, state, reason, attempts, failures, due_at, created_at,
               settled_at, replay_of
        from (select * from task where id >= $6 and id < $7 order by id desc limit $9) as task
        where ($1::text is null or connection = $1)
          and ($2::text is null or state = $2)
          and ($3::text is null or kind = $3)
          and ($4::timestamptz is null or created_at >= $4)
          and ($5::timestamptz is null or created_at < $5)
        order by id desc
        limit $8
        "#,
        filter.connection,
        filter.state,
        filter.kind,
        filter.since,
        filter.until,
        from,
        to,
        page.limit,
        WINDOW,
    );
    Ok(rows.fetch_all(db).await?)
}

/// The last task of the window; `None` where the window holds all.
async fn find_window_end(db: &mut PgConnection, filter: &TaskFilter, page: &Page) -> Result<Option<Uuid>> {
    let (from, to) = page.ids(filter.since, filter.until);
    let last = sqlx::query_scalar!(
        "select id from task where id >= $1 and id < $2 order by id desc offset $3 limit 1",
        from,
        to,
        WINDOW - 1,
    );
    Ok(last.fetch_optional(db).await?)
}
