//! The warehouse's orders: searched, listed, placed, edited and cancelled.

use reqwest::Method;
use serde_json::Value;

use super::{CallError, ChangedItem, Failure, Ogoship, PAGE_SIZE, Page, modified_after, translate, wire};
use crate::{
    domain::{
        Timestamp,
        order::{Draft, WarehouseOrder},
    },
    vendors::lenient_json::encode_segment,
};

impl Ogoship {
    /// The order of exactly this reference, and those whose references begin with it. Reads.
    pub async fn get_order(&self, reference: &str) -> Result<Option<WarehouseOrder>, CallError> {
        let query = vec![("reference", reference.to_owned())];
        let found: Vec<wire::Order> = self.list("search_order", "/api/v1/orders", query, 1).await?;
        Ok(translate::order(found, reference))
    }

    /// Places an order and answers it as the warehouse took it. Once.
    pub async fn place_order(&self, draft: &Draft, key: &str) -> Result<WarehouseOrder, CallError> {
        let body = json(&translate::new_order(draft));
        let answer =
            self.submit("place_order", Method::POST, "/api/v1/orders", Vec::new(), body, key).await?;
        let wire: wire::Order = self.parse("place_order", answer)?;
        // An answer that names no reference, or another one, is an answer that we cannot read.
        translate::order(vec![wire], &draft.reference)
            .ok_or_else(|| self.http.call_error("place_order", Failure::Unreadable))
    }

    /// Brings the order of this reference to this draft. Idempotent. Only while it is New, and only where the
    /// merchant's settings there allow edits over the API; otherwise refused with a 4xx whose number is not public.
    pub async fn edit_order(&self, draft: &Draft, key: &str) -> Result<(), CallError> {
        self.put_order("edit_order", &draft.reference, json(&translate::new_order(draft)), key).await
    }

    /// Asks that the order of this reference be cancelled: the same PUT with that status. That it works is inferred
    /// from the status field, not documented, so the flow looks afterwards. Idempotent.
    pub async fn cancel_order(&self, draft: &Draft, key: &str) -> Result<(), CallError> {
        let body = json(&translate::cancellation(draft));
        self.put_order("cancel_order", &draft.reference, body, key).await
    }

    async fn put_order(
        &self,
        name: &'static str,
        reference: &str,
        body: Value,
        key: &str,
    ) -> Result<(), CallError> {
        let path = format!("/api/v1/orders/{}", encode_segment(reference));
        self.submit(name, Method::PUT, &path, Vec::new(), body, key).await.map(drop)
    }

    /// Orders changed after a time. Reads.
    pub async fn list_orders_changed(
        &self,
        after: Timestamp,
        page: u32,
    ) -> Result<Page<ChangedItem>, CallError> {
        let found = self.list_orders(after, page).await?;
        let has_more = found.len() >= PAGE_SIZE;
        let items = found.into_iter().filter_map(|wire| {
            let version = translate::order_version(&wire);
            Some(ChangedItem { name: wire.reference?, version })
        });
        Ok(Page { items: items.collect(), has_more })
    }

    /// Whole orders changed after a time, whosever they are. Reads.
    pub async fn list_whole_orders_changed(
        &self,
        after: Timestamp,
        page: u32,
    ) -> Result<Page<WarehouseOrder>, CallError> {
        let found = self.list_orders(after, page).await?;
        let has_more = found.len() >= PAGE_SIZE;
        Ok(Page { items: found.into_iter().filter_map(translate::warehouse_order).collect(), has_more })
    }

    async fn list_orders(&self, after: Timestamp, page: u32) -> Result<Vec<wire::Order>, CallError> {
        self.list("list_orders", "/api/v1/orders", modified_after(after), page).await
    }
}

fn json(body: &impl serde::Serialize) -> Value {
    serde_json::to_value(body).expect("a draft is plain data")
}
