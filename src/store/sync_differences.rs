//! Table `sync_difference`: what comparisons found, and what mends it.

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;
use crate::domain::task::outcome::Reason;

/// A difference found, before it is kept.
#[derive(Clone, Debug)]
pub struct Found {
    /// As `order:1042`, or the warehouse's own reference or code for what is not ours.
    pub subject: String,
    /// The part of a product; empty where the subject is whole.
    pub part: String,
    /// What differs, a word of a closed set.
    pub difference: &'static str,
    /// Closed reason code, where a person must decide.
    pub reason: Option<Reason>,
    /// Plain words; never personal data.
    pub detail: Option<String>,
    /// What mends it.
    pub remedy: String,
    /// It could be mended by a delivery, once the whole is known and nothing speaks against it.
    pub waits: bool,
}

/// Keeps differences in the order of finding; one that was found before is kept once. Answers the words of the new ones.
/// Called inside a transaction that the claim fences.
pub async fn insert(db: &mut PgConnection, sync: Uuid, found: &[Found]) -> Result<Vec<String>> {
    let column = |pick: fn(&Found) -> String| found.iter().map(pick).collect::<Vec<_>>();
    let reasons: Vec<_> = found.iter().map(|it| it.reason.map(|reason| reason.code().to_owned())).collect();
    let details: Vec<_> = found.iter().map(|it| it.detail.clone()).collect();
    let waits: Vec<_> = found.iter().map(|it| it.waits).collect();
    let new = sqlx::query_scalar!(
        "
        insert into sync_difference (
            sync_id, place, subject, part, difference, reason, detail, remedy, waits, mending
        )
        select $1, before.place + row_number() over (order by told.place), told.subject, told.part, told.difference,
               told.reason, told.detail, told.remedy, told.waits, false
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bool[])
            with ordinality as told (subject, part, difference, reason, detail, remedy, waits, place)
        cross join (select coalesce(max(place), 0) as place from sync_difference where sync_id = $1) before
        on conflict on constraint sync_difference_told_once do nothing
        returning difference
        ",
        sync,
        &column(|it| it.subject.clone()),
        &column(|it| it.part.clone()),
        &column(|it| it.difference.to_owned()),
        &reasons as &[Option<String>],
        &details as &[Option<String>],
        &column(|it| it.remedy.clone()),
        &waits,
    );
    Ok(new.fetch_all(db).await?)
}

/// Differences that wait to be mended, in the order of finding: place, subject and word.
pub async fn waiting(
    db: &mut PgConnection,
    sync: Uuid,
    kept_back: &[String],
    limit: i64,
) -> Result<Vec<(i32, String)>> {
    let rows = sqlx::query!(
        "select place, subject from sync_difference
         where sync_id = $1 and waits and not difference = any($2) order by place limit $3",
        sync,
        kept_back,
        limit,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|row| (row.place, row.subject)).collect())
}

/// These differences are mended by these deliveries.
pub async fn mark_mending(
    db: &mut PgConnection,
    sync: Uuid,
    places: &[i32],
    deliveries: &[Uuid],
) -> Result<()> {
    sqlx::query!(
        "update sync_difference set waits = false, mending = true, delivery_id = told.delivery_id
         from unnest($2::integer[], $3::uuid[]) as told (place, delivery_id)
         where sync_id = $1 and sync_difference.place = told.place",
        sync,
        places,
        deliveries,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A difference that a comparison found, as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceRow {
    /// From 1, in the order of finding.
    pub place: i32,
    /// As `order:1042`, or the warehouse's own reference or code for what is not ours.
    pub subject: String,
    /// The part of a product, as `product:77/5`; empty where the subject is whole.
    pub part: String,
    /// What differs, a word of a closed set.
    pub difference: String,
    /// Closed reason code, where a person must decide.
    pub reason: Option<String>,
    /// Plain words; never personal data.
    pub detail: Option<String>,
    /// What mends it.
    pub remedy: String,
    /// True where a delivery was opened to mend it.
    pub mending: bool,
    /// True where it waits for a person's approval.
    pub waits: bool,
    /// The delivery that mends it.
    pub delivery_id: Option<Uuid>,
    /// Where that stands: once `delivered`, the difference is mended.
    pub delivery_state: Option<String>,
}

/// A comparison's differences behind a place, in the order of finding, at most so many.
pub async fn list(db: &mut PgConnection, id: Uuid, after: i32, limit: i64) -> Result<Vec<DifferenceRow>> {
    let rows = sqlx::query_as!(
        DifferenceRow,
        r#"
        select told.place, told.subject, told.part, told.difference, told.reason, told.detail, told.remedy,
               told.mending, told.waits, told.delivery_id, delivery.state as "delivery_state?"
        from sync_difference told left join delivery on delivery.id = told.delivery_id
        where told.sync_id = $1 and told.place > $2
        order by told.place
        limit $3
        "#,
        id,
        after,
        limit,
    );
    Ok(rows.fetch_all(db).await?)
}
