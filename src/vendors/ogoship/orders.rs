//! The warehouse's orders: search, list, place, edit and cancel them.

use reqwest::Method;
use serde_json::Value;

use super::{
    client::{Ogoship, PAGE_SIZE, Page, Request, is_full},
    translate, wire,
};
use crate::{
    domain::{
        Timestamp,
        order::{Draft, WarehouseOrder},
    },
    vendors::{
        changes::{ChangePage, ChangeRequest},
        http::error::{CallError, Failure},
        lenient_json::encode_segment,
        times::{Zone, parse_time},
        version::ReadStart,
    },
};

const PATH: &str = "/api/v1/orders";

impl Ogoship {
    /// Reads the order of exactly this reference, and those whose references begin with it.
    pub async fn get_order(&self, reference: &str) -> Result<Option<WarehouseOrder>, CallError> {
        let request = Request::get("search_order", PATH).query("reference", reference);
        let (found, start) = self.list::<wire::Order>(request, 1).await?;
        let order = translate::order(found, reference);
        Ok(order.map(|order| {
            let version = order.version.map(|version| {
                let changed_at = version.rsplit_once(' ').and_then(|(time, _)| parse_time(time, Zone::Utc));
                start.mark(version, changed_at)
            });
            WarehouseOrder { version, ..order }
        }))
    }

    /// Places an order and returns it as the warehouse accepted it. Once.
    pub async fn place_order(&self, draft: &Draft, key: &str) -> Result<WarehouseOrder, CallError> {
        let body = json(&translate::new_order(draft));
        let request = Request::new("place_order", Method::POST, PATH).body(body).key(key);
        let answer = self.send(request).await?;
        let wire: wire::Order = self.parse("place_order", answer)?;
        // An answer without this reference is unreadable.
        let order = translate::order(vec![wire], &draft.reference)
            .ok_or_else(|| self.http.call_error("place_order", Failure::Unreadable))?;
        // The answer shows the second of the change itself, so it covers no version.
        let version = order.version.map(|version| ReadStart::default().mark(version, None));
        Ok(WarehouseOrder { version, ..order })
    }

    /// Updates the order to this draft. Idempotent. Works only while its status is New and the merchant's
    /// settings allow edits over the API; else it is refused with a 4xx whose number is not public.
    pub async fn edit_order(&self, draft: &Draft, key: &str) -> Result<(), CallError> {
        self.put_order("edit_order", &draft.reference, json(&translate::new_order(draft)), key).await
    }

    /// Cancels the order: the same PUT with another status. That this works is inferred from the status field,
    /// not documented, so the flow reads the order afterwards. Idempotent.
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
        let path = format!("{PATH}/{}", encode_segment(reference));
        self.send(Request::new(name, Method::PUT, &path).body(body).key(key)).await.map(drop)
    }

    /// Lists orders changed since a time. Reads.
    pub async fn list_orders_changed(&self, request: ChangeRequest) -> Result<ChangePage, CallError> {
        self.changed(Request::get("list_orders", PATH), request, translate::changed_order).await
    }

    /// Lists whole orders changed after a time, ours or not. Reads.
    pub async fn list_whole_orders_changed(
        &self,
        after: Timestamp,
        page: u32,
    ) -> Result<Page<WarehouseOrder>, CallError> {
        let found = self.list_orders(after, page).await?;
        let has_more = is_full(&found, PAGE_SIZE);
        Ok(Page { items: found.into_iter().filter_map(translate::warehouse_order).collect(), has_more })
    }

    async fn list_orders(&self, after: Timestamp, page: u32) -> Result<Vec<wire::Order>, CallError> {
        let request = Request::get("list_orders", PATH).modified_after(after);
        self.list(request, page).await.map(|(found, _)| found)
    }
}

fn json(body: &impl serde::Serialize) -> Value {
    serde_json::to_value(body).expect("a draft is plain data")
}
