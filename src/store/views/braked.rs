//! Stock figures that the stock brake holds back.

use sqlx::PgConnection;

use crate::{
    domain::{Timestamp, task::reason::Reason},
    store::Result,
};

/// The stock brake of a connection.
#[derive(Clone, Debug)]
pub struct Brake {
    /// The connection.
    pub connection: String,
    /// Since when it is on.
    pub since: Timestamp,
    /// How many figures it holds back now.
    pub count: i64,
}

/// Lists the brakes that are on, the oldest first.
pub async fn list_brakes(db: &mut PgConnection) -> Result<Vec<Brake>> {
    let rows = sqlx::query_as!(
        Brake,
        r#"
        select name as connection, braked_at as "since!", (
            select count(*) from task
            where task.connection = name and state in ('pending', 'in_doubt') and reason = $1
        ) as "count!"
        from connection where braked_at is not null
        order by braked_at, name
        "#,
        Reason::StockBraked.code(),
    );
    Ok(rows.fetch_all(db).await?)
}

/// A figure that would fall to zero.
#[derive(Clone, Debug)]
pub struct BrakedFigure {
    /// The product code as the shop spells it.
    pub code: String,
    /// The product's name, where the catalogue has it.
    pub name: Option<String>,
    /// Pieces in the shop, as last read.
    pub shop: Option<i64>,
    /// What the shop would show.
    pub target: Option<i64>,
    /// Since when it waits.
    pub since: Timestamp,
}

/// Lists the figures that a connection's brake holds back, the fullest shelf first: a wrong zero costs most there.
pub async fn list_figures(db: &mut PgConnection, connection: &str, limit: i64) -> Result<Vec<BrakedFigure>> {
    let rows = sqlx::query_as!(
        BrakedFigure,
        r#"
        select substr(task.subject, 7) as "code!", (
                select name from item
                where item.connection = $1 and item.code = substr(task.subject, 7) and item.code_key = figure.code_key
                order by item limit 1
            ) as name,
            figure.shop as "shop?", figure.target, task.created_at as since
        from task
        left join stock_figure as figure
            on figure.connection = $1 and figure.code = substr(task.subject, 7)
        where task.connection = $1 and task.state in ('pending', 'in_doubt') and task.reason = $2
        order by figure.shop desc nulls last, task.subject
        limit $3
        "#,
        connection,
        Reason::StockBraked.code(),
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
