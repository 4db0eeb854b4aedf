//! The shop's orders: read, list and complete them.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::{
    client::{MyCashflow, Page, format_time, paged},
    lookups::{Lookups, references_of},
    translate, wire,
};
use crate::{
    domain::{order::ShopOrder, time_window::TimeWindow},
    vendors::{
        changes::{ChangePage, ChangeRequest},
        http::{
            Body,
            error::{CallError, Failure},
        },
        lenient_json::encode_segment,
    },
};

/// The `expand` parameter for reading whole orders.
const EXPAND: (&str, &str) = ("expand", "payments,products,shipments");

impl MyCashflow {
    /// Reads an order with its lines, payments and shipments; `None` where the shop does not have it.
    pub async fn get_order(&self, id: &str) -> Result<Option<ShopOrder>, CallError> {
        let lookups = self.lookups().await?;
        let query = vec![(EXPAND.0, EXPAND.1.to_owned())];
        let found = self.find::<wire::Order>("read_order", self.order_path(id, ""), query).await?;
        let Some((wire, start)) = found else { return Ok(None) };
        let orders = self.assemble("read_order", vec![wire], &lookups).await?;
        match orders.into_iter().next() {
            Some(order) => {
                let version = order.version.map(|version| start.mark_time(version));
                Ok(Some(ShopOrder { version, ..order }))
            }
            None => Err(self.http.call_error("read_order", Failure::Unreadable)),
        }
    }

    /// Whether the shop has an order. Reads.
    pub async fn has_order(&self, id: &str) -> Result<bool, CallError> {
        let found = self.find::<serde_json::Value>("find_order", self.order_path(id, ""), Vec::new()).await?;
        Ok(found.is_some())
    }

    /// Lists orders changed within a stretch of time, oldest first. Reads.
    pub async fn list_orders_changed(&self, request: ChangeRequest) -> Result<ChangePage, CallError> {
        self.changed("list_orders", format!("/api/{}/orders", self.orders_api), request).await
    }

    /// Lists whole orders placed within a window, by number. Reads.
    pub async fn list_orders_created(
        &self,
        window: TimeWindow,
        page: u32,
    ) -> Result<Page<ShopOrder>, CallError> {
        let lookups = self.lookups().await?;
        let mut query = paged(page);
        query.push((EXPAND.0, EXPAND.1.to_owned()));
        query.push(("created_at-from", format_time(window.from)));
        query.push(("created_at-to", format_time(window.to + chrono::Duration::seconds(1))));
        query.push(("sort", "id-asc".to_owned()));
        let name = "list_whole_orders";
        let list: wire::List = self.read(name, format!("/api/{}/orders", self.orders_api), query).await?;
        let orders = list.data.into_iter().map(serde_json::from_value::<wire::Order>);
        let orders = orders.collect::<Result<Vec<_>, _>>();
        // An order that cannot be read must not look like one that is missing.
        let orders = orders.map_err(|_| self.http.call_error(name, Failure::Unreadable))?;
        let (has_more, total) = (list.meta.next.is_some(), list.meta.item_count);
        Ok(Page { items: self.assemble(name, orders, &lookups).await?, has_more, total })
    }

    /// Translates orders, with suppliers where the rules depend on them.
    async fn assemble(
        &self,
        name: &'static str,
        wires: Vec<wire::Order>,
        lookups: &Arc<Lookups>,
    ) -> Result<Vec<ShopOrder>, CallError> {
        let lookups = &self.lookups_with(lookups.clone(), &references_of(&wires)).await?;
        let ids = wires.iter().flat_map(wire::Order::product_ids);
        let suppliers = self.suppliers_of(ids.collect(), lookups).await?;
        let orders: Option<Vec<_>> =
            wires.into_iter().map(|wire| translate::order(wire, lookups, &suppliers)).collect();
        orders.ok_or_else(|| self.http.call_error(name, Failure::Unreadable))
    }

    /// Completes an order of one payment and one shipment, and writes its tracking code. Once.
    pub async fn quick_process(
        &self,
        id: &str,
        tracking_code: Option<&str>,
        allow_open_cash_on_delivery: bool,
        send_emails: bool,
        key: &str,
    ) -> Result<(), CallError> {
        let mut body = json!({ "send_emails": send_emails });
        if let Some(code) = tracking_code {
            body["tracking_code"] = code.into();
        }
        if allow_open_cash_on_delivery {
            body["allow_open_cash_on_delivery_payments"] = true.into();
        }
        self.submit(
            "quick_process",
            Method::POST,
            self.order_path(id, "/quick-process"),
            Body::Json(body),
            key,
        )
        .await
    }

    /// Activates a payment whose money was received (docs/contract.md §1.6). Once.
    pub async fn activate_payment(&self, order: &str, payment: &str, key: &str) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/payments/{}/activate", encode_segment(payment)));
        self.submit("activate_payment", Method::POST, path, Body::Empty, key).await
    }

    /// Completes one of an order's shipments. Once.
    pub async fn complete_shipment(&self, order: &str, shipment: &str, key: &str) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/shipments/{}/complete", encode_segment(shipment)));
        self.submit("complete_shipment", Method::POST, path, Body::Empty, key).await
    }

    /// Writes a shipment's tracking code. Not proven to work (docs/contract.md U6). Idempotent.
    pub async fn write_tracking(
        &self,
        order: &str,
        shipment: &str,
        tracking_code: &str,
        key: &str,
    ) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/shipments/{}", encode_segment(shipment)));
        let body = Body::Json(json!({ "tracking_code": tracking_code }));
        self.submit("write_tracking", Method::PATCH, path, body, key).await
    }

    fn order_path(&self, id: &str, rest: &str) -> String {
        format!("/api/{}/orders/{}{rest}", self.orders_api, encode_segment(id))
    }
}
