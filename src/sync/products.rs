//! The catalogue: every product of the warehouse is read into rows, every product of the shop into the register of codes,
//! and the two are laid side by side.

use super::{Run, SyncError, fix::STILL_AT_WAREHOUSE, run::read_with_retries};
use crate::{
    domain::{
        event::subject::{Subject, SubjectKind},
        product::{
            CatalogueItem, Decision, ItemDraft, ItemView, KnownItem, WarehouseProduct, code_key, decide,
            differences,
        },
        task::outcome::Reason,
    },
    flows::ConnectionClients,
    store::{
        StoreError, connections, ingest,
        items::{self, CatalogueRow},
        subject_states::{self, InSyncProduct},
        sync_differences::NewDifference,
        sync_snapshots::{self, SnapshotRow},
        tasks,
    },
};

/// Lines laid side by side in one transaction.
const BATCH_SIZE: i64 = 500;

impl Run<'_> {
    /// The warehouse's products, into rows.
    pub(super) async fn read_products(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        loop {
            let page = self.page();
            let read = read_with_retries!(clients.warehouse.list_products(page));
            let readings: Vec<_> = read.items.iter().map(to_reading).collect();
            self.store_readings(page, &readings).await?;
            if !read.has_more {
                return Ok(());
            }
        }
    }

    /// The shop's catalogue, into the register; what it has no more is looked at alone before it is believed.
    pub(super) async fn read_catalogue(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        let connection = &self.leased.connection;
        loop {
            let page = self.page();
            let read_at = self.syncer.clock.now();
            let read = read_with_retries!(clients.shop.list_products(page));
            let entries: Vec<_> = (read.items.iter())
                .map(|product| (Subject::product(&product.id), CatalogueItem::of(product, &clients.products)))
                .collect();
            let mut tx = self.begin_transaction().await?;
            items::register_products(&mut tx, connection, &entries, read_at).await?;
            self.progress.total = read.total;
            self.commit_page(tx, &[], (page + 1).to_string(), read.items.len()).await?;
            if !read.has_more {
                break;
            }
        }
        let mut after = String::new();
        loop {
            let mut db = self.syncer.pool.acquire().await?;
            let unseen =
                items::list_unseen(&mut db, connection, self.leased.started_at, &after, BATCH_SIZE).await?;
            drop(db); // never held across the network
            let Some(last) = unseen.last() else { break };
            after.clone_from(last);
            for subject in unseen.iter().filter_map(|text| text.parse::<Subject>().ok()) {
                let read_at = self.syncer.clock.now();
                let product = read_with_retries!(clients.shop.get_product(&subject.key));
                let entries =
                    product.map(|product| CatalogueItem::of(&product, &clients.products)).unwrap_or_default();
                let mut db = self.syncer.pool.acquire().await?;
                let register =
                    items::register_product(&mut db, connection, &subject, &entries, read_at).await?;
                if !self.leased.dry_run {
                    // Whoever was held back for a code of what is gone may go on now.
                    let waiting: Vec<_> =
                        register.left.into_iter().map(|product| self.found_event(product)).collect();
                    ingest::ingest(&mut db, &waiting).await?;
                }
                drop(db);
                self.extend_lease().await?;
            }
        }
        let now = self.syncer.clock.now();
        let mut tx = self.begin_transaction().await?;
        connections::record_catalogue_read(&mut tx, connection, now).await?;
        let (kind, reason) = (SubjectKind::Product, Reason::CatalogueUnread);
        tasks::wake_waiting(&mut tx, connection, kind, reason, now).await?;
        Ok(tx.commit().await?)
    }

    /// The register beside the rows; then the codes that cannot be sent, and what only the warehouse has.
    pub(super) async fn find_product_differences(
        &mut self,
        clients: &ConnectionClients,
    ) -> Result<(), SyncError> {
        loop {
            let mut tx = self.begin_transaction().await?;
            let (connection, after) = (&self.leased.connection, self.progress.cursor.clone());
            let rows =
                items::list_beside_snapshot(&mut tx, connection, self.leased.id, &after, BATCH_SIZE).await?;
            let Some(last) = rows.last().map(|row| row.item.clone()) else { break };
            let (mut found, mut in_sync) = (Vec::new(), Vec::new());
            for row in rows.into_iter().filter(|row| !row.has_duplicate_code && !row.is_outdated) {
                let Some(draft) = row.draft.clone() else { continue };
                let draft: ItemDraft = serde_json::from_value(draft).map_err(|_| inconsistent("item"))?;
                let draft = ItemDraft { item: row.item.clone(), ..draft };
                match self.difference(&draft, &row)? {
                    Ok(product) => in_sync.push(product),
                    Err(difference) => found.push(difference),
                }
            }
            self.count("same", i64::try_from(in_sync.len()).unwrap_or(0));
            subject_states::record_in_sync_products(&mut tx, connection, &in_sync, self.leased.started_at)
                .await?;
            self.commit_page(tx, &found, last, 0).await?;
        }
        self.report_code_problems().await?;
        self.report_orphans(clients).await
    }

    /// The row in sync, or its difference.
    fn difference(
        &mut self,
        draft: &ItemDraft,
        row: &CatalogueRow,
    ) -> Result<Result<InSyncProduct, NewDifference>, SyncError> {
        let product = |body: &Option<serde_json::Value>| -> Result<Option<WarehouseProduct>, SyncError> {
            let body = body.clone().map(serde_json::from_value).transpose();
            body.map_err(|_| inconsistent("sync_snapshot"))
        };
        let (there, before) = (product(&row.at_warehouse)?, product(&row.before)?);
        let known = KnownItem { code: row.warehouse_code.clone(), sent_hash: None };
        if known.code.is_some() && (there.is_some() || before.is_some()) {
            self.count(STILL_AT_WAREHOUSE, 1);
        }
        let view = ItemView {
            draft,
            known: &known,
            there: there.as_ref(),
            before: before.as_ref(),
            owner: row.owner.as_deref(),
        };
        let item = row.item.clone();
        let fixable = |class, remedy, detail| {
            let found = self.fixable_difference(&row.product, class, remedy);
            Ok(Err(NewDifference { item: item.clone(), detail: Some(detail), ..found }))
        };
        let named = format!("{:?} {:?}", draft.code, draft.name);
        match decide(&view) {
            Decision::Nothing => Ok(Ok(InSyncProduct {
                item,
                mycashflow_id: draft.id().to_owned(),
                ogoship_id: there.and_then(|there| there.id),
                code: draft.code.clone(),
                sent_hash: draft.hash(),
            })),
            Decision::Create if known.code.is_some() => {
                fixable("vanished_at_warehouse", "it is created at the warehouse again", named)
            }
            Decision::Create => fixable("missing_at_warehouse", "it is created at the warehouse", named),
            Decision::Update => {
                let fields = there.map(|there| differences(draft, &there).join(", ")).unwrap_or_default();
                fixable("differs_at_warehouse", "the shop's fields are sent on", format!("{named}: {fields}"))
            }
            Decision::Rename { from } => {
                fixable("renamed_in_shop", "it is renamed at the warehouse", format!("{named}, was {from:?}"))
            }
            Decision::AskOperator { reason, detail } => {
                let found = Self::reported_difference(&row.product, "needs_a_person", reason.description());
                Ok(Err(NewDifference { item, reason: Some(reason), detail: Some(detail), ..found }))
            }
        }
    }

    /// The list of codes that cannot be sent: the same that the admin API and the doctor show.
    async fn report_code_problems(&mut self) -> Result<(), SyncError> {
        let mut after = String::new();
        loop {
            let mut tx = self.begin_transaction().await?;
            let problems =
                items::list_code_problems(&mut tx, &self.leased.connection, &after, BATCH_SIZE).await?;
            let Some(last) = problems.last() else { return Ok(()) };
            after.clone_from(&last.item);
            let found: Vec<_> = problems
                .iter()
                .map(|problem| {
                    let reason = Reason::parse(&problem.reason).unwrap_or(Reason::CodeRepeated);
                    let remedy = "give each product and variation a code of its own in the shop";
                    let found = Self::reported_difference(&problem.product, "held_back", remedy);
                    let (item, detail) = (problem.item.clone(), Some(problem.to_string()));
                    NewDifference { item, reason: Some(reason), detail, ..found }
                })
                .collect();
            self.commit_page(tx, &found, self.progress.cursor.clone(), 0).await?;
        }
    }

    /// What only the warehouse has: another channel's, a good that was identified there, or an orphan.
    async fn report_orphans(&mut self, clients: &ConnectionClients) -> Result<(), SyncError> {
        let mut after = String::new();
        loop {
            let mut tx = self.begin_transaction().await?;
            let codes =
                sync_snapshots::list_codes_left_over(&mut tx, self.leased, &after, BATCH_SIZE).await?;
            let Some((last, _)) = codes.last() else { return Ok(()) };
            after.clone_from(last);
            let found: Vec<_> = codes
                .iter()
                .filter(|(code, left_over)| *left_over && !clients.products.exclude_codes.contains(code))
                .map(|(code, _)| {
                    let remedy =
                        "nothing flows back: add it to the shop, or exclude the code, if it is this shop's";
                    let found = Self::reported_difference(code, "unknown_in_shop", remedy);
                    NewDifference { reason: Some(Reason::UnknownInShop), ..found }
                })
                .collect();
            self.commit_page(tx, &found, self.progress.cursor.clone(), 0).await?;
        }
    }
}

fn to_reading(product: &WarehouseProduct) -> SnapshotRow {
    SnapshotRow {
        name: product.code.clone(),
        subject: code_key(&product.code),
        body: serde_json::json!(product),
        matched: false,
    }
}

pub(super) fn inconsistent(table: &'static str) -> SyncError {
    SyncError::Store(StoreError::Inconsistent { table, column: "body" })
}
