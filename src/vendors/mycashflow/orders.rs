//! The shop's orders: read, listed, and completed.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;

use super::{Body, CallError, Changed, MyCashflow, Page, iso, lists::Named, paged, translate, wire};
use crate::{
    domain::{order::ShopOrder, time_window::Window},
    vendors::{http::error::Failure, lenient_json::segment},
};

/// What a whole order needs besides itself.
const EXPAND: (&str, &str) = ("expand", "payments,products,shipments");

impl MyCashflow {
    /// An order with its lines, payments and shipments; `None` where the shop does not know it. Reads.
    pub async fn order(&self, id: &str) -> Result<Option<ShopOrder>, CallError> {
        let named = self.named().await?;
        let query = vec![(EXPAND.0, EXPAND.1.to_owned())];
        let wire: Option<wire::Order> = self.find("read_order", self.order_path(id, ""), query).await?;
        let Some(wire) = wire else { return Ok(None) };
        let orders = self.whole("read_order", vec![wire], &named).await?;
        match orders.into_iter().next() {
            Some(order) => Ok(Some(order)),
            None => Err(self.http.error("read_order", Failure::Unreadable)),
        }
    }

    /// Orders changed within a window, oldest first. Reads.
    pub async fn orders_changed(&self, window: Window, page: u32) -> Result<Page<Changed>, CallError> {
        self.changed("list_orders", format!("/api/{}/orders", self.orders_api), window, page).await
    }

    /// Whole orders placed within a window, in order of their numbers. Reads.
    pub async fn orders_created(&self, window: Window, page: u32) -> Result<Page<ShopOrder>, CallError> {
        let named = self.named().await?;
        let mut query = paged(page);
        query.push((EXPAND.0, EXPAND.1.to_owned()));
        query.push(("created_at-from", iso(window.from)));
        query.push(("created_at-to", iso(window.to + chrono::Duration::seconds(1))));
        query.push(("sort", "id-asc".to_owned()));
        let name = "list_whole_orders";
        let list: wire::List = self.read(name, format!("/api/{}/orders", self.orders_api), query).await?;
        let orders: Vec<wire::Order> =
            list.data.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect();
        let (more, total) = (list.meta.next.is_some(), list.meta.item_count);
        Ok(Page { items: self.whole(name, orders, &named).await?, more, total })
    }

    /// From the wire to whole orders, suppliers included where the rules ask for them.
    async fn whole(
        &self,
        name: &'static str,
        wires: Vec<wire::Order>,
        named: &Arc<Named>,
    ) -> Result<Vec<ShopOrder>, CallError> {
        let ids = wires.iter().flat_map(|order| &order.products).filter_map(|line| line.product_id.clone());
        let suppliers = self.suppliers_of(ids.collect(), named).await?;
        let orders: Option<Vec<_>> =
            wires.into_iter().map(|wire| translate::order(wire, named, &suppliers)).collect();
        orders.ok_or_else(|| self.http.error(name, Failure::Unreadable))
    }

    /// Completes the whole order and writes its tracking code: for orders of one payment and one shipment. Once.
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
        self.act("quick_process", Method::POST, self.order_path(id, "/quick-process"), Body::Json(body), key)
            .await
    }

    /// Completes one of an order's shipments. Once.
    pub async fn complete_shipment(&self, order: &str, shipment: &str, key: &str) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/shipments/{}/complete", segment(shipment)));
        self.act("complete_shipment", Method::POST, path, Body::Empty, key).await
    }

    /// Writes a shipment's tracking code, which is not proven to work (docs/contract.md U6). Idempotent.
    pub async fn write_tracking(
        &self,
        order: &str,
        shipment: &str,
        tracking_code: &str,
        key: &str,
    ) -> Result<(), CallError> {
        let path = self.order_path(order, &format!("/shipments/{}", segment(shipment)));
        let body = Body::Json(json!({ "tracking_code": tracking_code }));
        self.act("write_tracking", Method::PATCH, path, body, key).await
    }

    fn order_path(&self, id: &str, rest: &str) -> String {
        format!("/api/{}/orders/{}{rest}", self.orders_api, segment(id))
    }
}
