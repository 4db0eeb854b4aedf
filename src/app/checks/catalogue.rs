//! What is checked of the catalogue as it was last read: product codes, and what the warehouse asks of products.

use sqlx::PgPool;

use crate::{
    domain::check::{Check, CheckName, Found},
    store::{
        self,
        views::{code_problems, remarks},
    },
};

/// How many problems with codes, and how many remarks, are read and shown.
const PAGE_SIZE: i64 = 200;

/// Whether every code can be sent.
pub(crate) async fn check_codes(pool: &PgPool, connection: &str) -> store::Result<Check> {
    let mut db = pool.acquire().await?;
    let problems = code_problems::list_code_problems(&mut db, connection, "", PAGE_SIZE).await?;
    let check = Check::good(CheckName::Codes, Found::Codes(problems.len())).with_details(&problems);
    Ok(check.required(problems.is_empty()))
}

/// What the products lack that the warehouse asks for. Without an EAN the warehouse may still take one: it says so itself where
/// it does not.
pub(crate) async fn check_remarks(pool: &PgPool, connection: &str) -> store::Result<Check> {
    let mut db = pool.acquire().await?;
    let remarked = remarks::list_remarked(&mut db, connection, "", PAGE_SIZE).await?;
    let check = Check::good(CheckName::Products, Found::Remarks(remarked.len())).with_details(&remarked);
    Ok(if remarked.is_empty() { check } else { check.warning() })
}
