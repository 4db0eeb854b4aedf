//! The catalogue: every product of the warehouse is read into rows, every product of the shop into the register of codes,
//! and the two are laid side by side.

use super::{Broken, Run, fix::STILL_THERE, run::patiently};
use crate::{
    domain::{
        event::subject::{Subject, SubjectKind},
        product::{Entry, Item, Known, Next, View, WarehouseProduct, code_key, decide, differences},
        task::outcome::Reason,
    },
    flows::Tied,
    store::{
        StoreError, connections, ingest,
        items::{self, Compared},
        subject_states::{self, Stands},
        sync_differences::Found,
        sync_snapshots::{self, Reading},
        tasks,
    },
};

/// Lines laid side by side in one transaction.
const AT_ONCE: i64 = 500;

impl Run<'_> {
    /// The warehouse's products, into rows.
    pub(super) async fn read_products(&mut self, tied: &Tied) -> Result<(), Broken> {
        loop {
            let page = self.page();
            let read = patiently!(tied.warehouse.products(page));
            let readings: Vec<_> = read.items.iter().map(reading).collect();
            self.keep_readings(page, &readings).await?;
            if !read.more {
                return Ok(());
            }
        }
    }

    /// The shop's catalogue, into the register; what it has no more is looked at alone before it is believed.
    pub(super) async fn read_catalogue(&mut self, tied: &Tied) -> Result<(), Broken> {
        let connection = &self.held.connection;
        loop {
            let page = self.page();
            let read_at = self.syncer.clock.now();
            let read = patiently!(tied.shop.products(page));
            let entries: Vec<_> = (read.items.iter())
                .map(|product| (Subject::product(&product.id), Entry::of(product, &tied.products)))
                .collect();
            let mut tx = self.open().await?;
            items::enter_pages(&mut tx, connection, &entries, read_at).await?;
            self.progress.total = read.total;
            self.turn(tx, &[], (page + 1).to_string(), read.items.len()).await?;
            if !read.more {
                break;
            }
        }
        let mut after = String::new();
        loop {
            let mut db = self.syncer.pool.acquire().await?;
            let unseen = items::unseen(&mut db, connection, self.held.started_at, &after, AT_ONCE).await?;
            drop(db); // never held across the network
            let Some(last) = unseen.last() else { break };
            after.clone_from(last);
            for subject in unseen.iter().filter_map(|text| text.parse::<Subject>().ok()) {
                let read_at = self.syncer.clock.now();
                let product = patiently!(tied.shop.product(&subject.key));
                let entries = product.map(|product| Entry::of(&product, &tied.products)).unwrap_or_default();
                let mut db = self.syncer.pool.acquire().await?;
                let entered = items::enter(&mut db, connection, &subject, &entries, read_at).await?;
                if !self.held.dry_run {
                    // Whoever was held back for a code of what is gone may go on now.
                    let waiting: Vec<_> =
                        entered.left.into_iter().map(|product| self.news(product)).collect();
                    ingest::receive(&mut db, &waiting).await?;
                }
                drop(db);
                self.keep_lease().await?;
            }
        }
        let now = self.syncer.clock.now();
        let mut tx = self.open().await?;
        connections::note_catalogue(&mut tx, connection, now).await?;
        let (kind, reason) = (SubjectKind::Product, Reason::CatalogueUnread);
        tasks::wake(&mut tx, connection, kind, reason, now).await?;
        Ok(tx.commit().await?)
    }

    /// The register beside the rows; then the codes that cannot be sent, and what only the warehouse has.
    pub(super) async fn compare_products(&mut self, tied: &Tied) -> Result<(), Broken> {
        loop {
            let mut tx = self.open().await?;
            let (connection, after) = (&self.held.connection, self.progress.cursor.clone());
            let lines = items::beside(&mut tx, connection, self.held.id, &after, AT_ONCE).await?;
            let Some(last) = lines.last().map(|line| line.part.clone()) else { break };
            let (mut found, mut stands) = (Vec::new(), Vec::new());
            for line in lines.into_iter().filter(|line| !line.is_repeated && !line.moved) {
                let Some(item) = line.item.clone() else { continue };
                let item: Item = serde_json::from_value(item).map_err(|_| inconsistent("part"))?;
                let item = Item { part: line.part.clone(), ..item };
                match self.difference(&item, &line)? {
                    Ok(in_step) => stands.push(in_step),
                    Err(difference) => found.push(difference),
                }
            }
            self.count("same", i64::try_from(stands.len()).unwrap_or(0));
            subject_states::note_products(&mut tx, connection, &stands, self.held.started_at).await?;
            self.turn(tx, &found, last, 0).await?;
        }
        self.tell_code_problems().await?;
        self.tell_orphans(tied).await
    }

    /// The line in step, or its difference.
    fn difference(&mut self, item: &Item, line: &Compared) -> Result<Result<Stands, Found>, Broken> {
        let product = |body: &Option<serde_json::Value>| -> Result<Option<WarehouseProduct>, Broken> {
            let body = body.clone().map(serde_json::from_value).transpose();
            body.map_err(|_| inconsistent("sync_reading"))
        };
        let (there, before) = (product(&line.there)?, product(&line.before)?);
        let known = Known { code: line.stands_as.clone(), sent_hash: None };
        if known.code.is_some() && (there.is_some() || before.is_some()) {
            self.count(STILL_THERE, 1);
        }
        let view = View {
            item,
            known: &known,
            there: there.as_ref(),
            before: before.as_ref(),
            owner: line.owner.as_deref(),
        };
        let part = line.part.clone();
        let mends = |word, remedy, detail| {
            let found = self.mends(&line.product, word, remedy);
            Ok(Err(Found { part: part.clone(), detail: Some(detail), ..found }))
        };
        let named = format!("{:?} {:?}", item.code, item.name);
        match decide(&view) {
            Next::Nothing => Ok(Ok(Stands {
                part,
                mycashflow_id: item.id().to_owned(),
                ogoship_id: there.and_then(|there| there.id),
                code: item.code.clone(),
                sent_hash: item.hash(),
            })),
            Next::Create if known.code.is_some() => {
                mends("vanished_at_warehouse", "it is created at the warehouse again", named)
            }
            Next::Create => mends("missing_at_warehouse", "it is created at the warehouse", named),
            Next::Update => {
                let fields = there.map(|there| differences(item, &there).join(", ")).unwrap_or_default();
                mends("differs_at_warehouse", "the shop's fields are sent on", format!("{named}: {fields}"))
            }
            Next::Rename { from } => {
                mends("renamed_in_shop", "it is renamed at the warehouse", format!("{named}, was {from:?}"))
            }
            Next::AskPerson { reason, detail } => {
                let found = Self::told(&line.product, "needs_a_person", reason.words());
                Ok(Err(Found { part, reason: Some(reason), detail: Some(detail), ..found }))
            }
        }
    }

    /// The list of codes that cannot be sent: the same that the admin API and the doctor show.
    async fn tell_code_problems(&mut self) -> Result<(), Broken> {
        let mut after = String::new();
        loop {
            let mut tx = self.open().await?;
            let problems = items::code_problems(&mut tx, &self.held.connection, &after, AT_ONCE).await?;
            let Some(last) = problems.last() else { return Ok(()) };
            after.clone_from(&last.part);
            let found: Vec<_> = problems
                .iter()
                .map(|problem| {
                    let reason = Reason::parse(&problem.reason).unwrap_or(Reason::CodeRepeated);
                    let remedy = "give each product and variation a code of its own in the shop";
                    let found = Self::told(&problem.product, "held_back", remedy);
                    let (part, detail) = (problem.part.clone(), Some(problem.to_string()));
                    Found { part, reason: Some(reason), detail, ..found }
                })
                .collect();
            self.turn(tx, &found, self.progress.cursor.clone(), 0).await?;
        }
    }

    /// What only the warehouse has: another channel's, a good that was identified there, or an orphan.
    async fn tell_orphans(&mut self, tied: &Tied) -> Result<(), Broken> {
        let mut after = String::new();
        loop {
            let mut tx = self.open().await?;
            let codes = sync_snapshots::codes_left_over(&mut tx, self.held, &after, AT_ONCE).await?;
            let Some((last, _)) = codes.last() else { return Ok(()) };
            after.clone_from(last);
            let found: Vec<_> = codes
                .iter()
                .filter(|(code, left_over)| *left_over && !tied.products.exclude_codes.contains(code))
                .map(|(code, _)| {
                    let remedy =
                        "nothing flows back: add it to the shop, or exclude the code, if it is this shop's";
                    let found = Self::told(code, "unknown_in_shop", remedy);
                    Found { reason: Some(Reason::UnknownInShop), ..found }
                })
                .collect();
            self.turn(tx, &found, self.progress.cursor.clone(), 0).await?;
        }
    }
}

fn reading(product: &WarehouseProduct) -> Reading {
    Reading {
        name: product.code.clone(),
        subject: code_key(&product.code),
        body: serde_json::json!(product),
        met: false,
    }
}

pub(super) fn inconsistent(table: &'static str) -> Broken {
    Broken::Store(StoreError::Inconsistent { table, column: "body" })
}
