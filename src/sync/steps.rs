//! The steps of a sync, in order.

use super::{error::SyncError, fix, orders, products, run::Run, stock};
use crate::domain::sync::{
    Step::{End, FindDifferences, Fix, ReadShop, ReadWarehouse},
    SyncKind::{Orders, Products, Stock},
};

/// Runs the remaining steps.
pub(super) async fn run_steps(run: &mut Run<'_>) -> Result<(), SyncError> {
    let clients = run.deps.dry_runner.clients(&run.leased.connection);
    let clients = clients.ok_or(SyncError::NotConfigured)?.in_background();
    while run.progress.step != End {
        match (run.progress.step, run.leased.what) {
            (ReadWarehouse, Products) => products::read_warehouse(run, &clients).await?,
            (ReadWarehouse, Stock) => stock::read_warehouse(run, &clients).await?,
            (ReadWarehouse, Orders) => orders::read_warehouse(run, &clients).await?,
            (ReadShop, Products) => products::read_catalogue(run, &clients).await?,
            (ReadShop, Stock) => stock::find_differences(run, &clients).await?,
            (ReadShop, Orders) => orders::find_differences(run, &clients).await?,
            (FindDifferences, Products) => products::find_differences(run, &clients).await?,
            (FindDifferences, Stock) => stock::report_unknown_codes(run, &clients).await?,
            (FindDifferences, Orders) => orders::check_left_over(run, &clients).await?,
            (Fix, _) => fix::fix(run, &clients).await?,
            (End, _) => {}
        }
        run.progress.step = run.progress.step.next();
        let tx = run.begin_transaction().await?;
        run.commit_page(tx, &[], String::new(), 0).await?;
    }
    Ok(())
}
