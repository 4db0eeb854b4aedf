//! The stock brake, and the stock figures in `subject_state`.

use sqlx::{Connection, PgConnection};

use super::Result;
use crate::domain::{
    Timestamp,
    event::subject::Subject,
    stock::{BRAKE_WINDOW, StockPolicy},
};

/// Decides whether a code's figure may fall to zero now. If so, it is counted; if it is one too many, the
/// stock brake is put on. The connection's row is locked meanwhile, so that concurrent calls are counted one
/// after the other.
pub async fn can_set_to_zero(
    db: &mut PgConnection,
    connection: &str,
    code: &str,
    policy: &StockPolicy,
    now: Timestamp,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let brake = sqlx::query!(
        "select braked_at, brake_released_until from connection where name = $1 for update",
        connection,
    );
    let Some(brake) = brake.fetch_optional(&mut *tx).await? else { return Ok(true) };
    if brake.braked_at.is_some() {
        return Ok(false);
    }
    let subject = Subject::stock(code).to_string();
    let counts = count_codes(&mut tx, connection, &subject, now).await?;
    let emptied = counts.emptied + 1;
    let is_released = brake.brake_released_until.is_some_and(|until| until > now);
    let is_allowed = is_released || !policy.should_brake(emptied, counts.in_stock);
    if is_allowed {
        record_emptied(&mut tx, connection, code, now).await?;
    } else {
        put_brake_on(&mut tx, connection, emptied, emptied + counts.in_stock, now).await?;
    }
    tx.commit().await?;
    Ok(is_allowed)
}

/// How a connection's other codes stand within the brake's window.
struct CodeCounts {
    /// Codes that fell to zero.
    emptied: i64,
    /// Codes in stock that did not.
    in_stock: i64,
}

async fn count_codes(
    db: &mut PgConnection,
    connection: &str,
    except: &str,
    now: Timestamp,
) -> Result<CodeCounts> {
    let counts = sqlx::query_as!(
        CodeCounts,
        r#"
        select
            (
                select count(*) from subject_state
                where connection = $1 and emptied_at is not null and emptied_at > $2 and subject <> $3
            ) as "emptied!",
            (
                select count(*) from subject_state
                where connection = $1 and figure > 0 and subject <> $3
                  and (emptied_at is null or emptied_at <= $2)
            ) as "in_stock!"
        "#,
        connection,
        now - BRAKE_WINDOW,
        except,
    );
    Ok(counts.fetch_one(db).await?)
}

async fn put_brake_on(
    db: &mut PgConnection,
    connection: &str,
    emptied: i64,
    of: i64,
    now: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "update connection set braked_at = $2, brake_detail = $3 where name = $1",
        connection,
        now,
        format!("{emptied} of {of} codes would have fallen to zero within an hour"),
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn record_emptied(db: &mut PgConnection, connection: &str, code: &str, now: Timestamp) -> Result<()> {
    sqlx::query!(
        "insert into subject_state (connection, subject, code, seen_at, emptied_at) values ($1, $2, $3, $4, $4)
         on conflict (connection, subject) do update set emptied_at = excluded.emptied_at",
        connection,
        Subject::stock(code).to_string(),
        code,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A stock figure of the shop as a sync has just read it.
#[derive(Clone, Debug)]
pub struct ShopFigure {
    /// The product code.
    pub code: String,
    /// The pieces that the shop shows.
    pub quantity: i64,
    /// The warehouse's version, if the two are in sync.
    pub in_sync_version: Option<String>,
}

/// Records what the shop shows for these codes: the stock brake counts by it, and polls skip what is in sync.
pub async fn record_figures(
    db: &mut PgConnection,
    connection: &str,
    figures: &[ShopFigure],
    seen_at: Timestamp,
) -> Result<()> {
    let codes: Vec<_> = figures.iter().map(|it| it.code.clone()).collect();
    let quantities: Vec<_> = figures.iter().map(|it| it.quantity).collect();
    let versions: Vec<_> = figures.iter().map(|it| it.in_sync_version.clone()).collect();
    sqlx::query!(
        "
        insert into subject_state (connection, subject, code, figure, warehouse_version, seen_at)
        select distinct on (new.code) $1, 'stock:' || new.code, new.code, new.figure, new.version, $5
        from unnest($2::text[], $3::bigint[], $4::text[]) as new (code, figure, version)
        order by new.code
        on conflict (connection, subject) do update set
            figure = excluded.figure,
            warehouse_version = coalesce(excluded.warehouse_version, subject_state.warehouse_version)
        where subject_state.seen_at <= excluded.seen_at
          and (subject_state.figure, subject_state.warehouse_version) is distinct from
              (excluded.figure, coalesce(excluded.warehouse_version, subject_state.warehouse_version))
        ",
        connection,
        &codes,
        &quantities,
        &versions as &[Option<String>],
        seen_at,
    )
    .execute(db)
    .await?;
    Ok(())
}
