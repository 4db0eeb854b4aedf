//! The fake shop's shipments: completed, added for an exchange, and return rows.

use super::{
    shop::Shop,
    shop_state::{Order, Shipment, State},
};

impl Shop {
    /// Adds a shipment with goods to an order, as for an exchange or for goods that were lost; returns its id. The order
    /// is open again.
    pub fn add_shipment(&self, id: u64, lines: &[(&str, i64)]) -> u64 {
        for (code, pieces) in lines {
            self.state().stock.entry((*code).to_owned()).or_default().reserved += pieces;
        }
        self.change(id, |order| order.status = "OPEN");
        self.add_row(id, "DELIVERY", lines)
    }

    /// Books a return: a row among the order's shipments whose lines are taken back. Returns its id.
    pub fn book_return(&self, id: u64, code: &str, pieces: i64) -> u64 {
        self.add_row(id, "RETURN", &[(code, -pieces)])
    }

    fn add_row(&self, id: u64, kind: &'static str, lines: &[(&str, i64)]) -> u64 {
        let mut shipment = 0;
        self.change(id, |order| {
            shipment = id * 10 + order.shipments.len() as u64;
            let row =
                Shipment { id: shipment, kind, tracking_code: None, completions: 0, pickup_point: None };
            // Which of the rows a shop lists first is not known.
            let at = if kind == "RETURN" { 0 } else { order.shipments.len() };
            order.shipments.insert(at, row);
            let lines = lines.iter().map(|(code, pieces)| (shipment, (*code).to_owned(), *pieces));
            order.added_lines.extend(lines);
        });
        shipment
    }

    /// Removes a shipment and its lines, as a person can before it is sent.
    pub fn remove_shipment(&self, id: u64, shipment: u64) {
        self.change(id, |order| {
            order.shipments.retain(|it| it.id != shipment);
            order.added_lines.retain(|(of, ..)| *of != shipment);
        });
    }

    /// Completes a shipment, or everything that is open; false where nothing is (409). The last shipment completes the
    /// order.
    pub(super) fn complete(&self, id: u64, shipment: Option<u64>, tracking_code: Option<&str>) -> bool {
        let now = self.now();
        let mut state = self.state();
        let State { orders, stock, .. } = &mut *state;
        let Some(order) = orders.get_mut(&id).filter(|order| order.status != "CANCELLED") else {
            return false;
        };
        let open = |it: &&mut Shipment| it.completions == 0 && shipment.is_none_or(|wanted| wanted == it.id);
        let mut completed = Vec::new();
        for found in order.shipments.iter_mut().filter(open) {
            found.completions += 1;
            completed.push(found.id);
            if let Some(code) = tracking_code {
                found.tracking_code = Some(code.to_owned());
            }
        }
        if completed.is_empty() {
            return false;
        }
        order.updated_at = now;
        for (code, pieces) in leaving(order, &completed) {
            let item = stock.entry(code).or_default();
            item.quantity -= pieces;
            item.reserved -= pieces;
        }
        let is_done = |it: &Shipment| it.completions > 0 || it.kind == "RETURN";
        if order.shipments.iter().all(is_done) {
            order.status = "COMPLETED";
        }
        true
    }
}

/// What leaves the shop's stock with these shipments: the order's own goods with the last of its first shipments.
fn leaving(order: &Order, completed: &[u64]) -> Vec<(String, i64)> {
    let is_added = |id: u64| order.added_lines.iter().any(|(of, ..)| *of == id);
    let mut first = order.shipments.iter().filter(|it| !is_added(it.id));
    let has_left = completed.iter().any(|id| !is_added(*id)) && first.all(|it| it.completions > 0);
    let own = order.lines.iter().filter(|_| has_left).cloned();
    let added = order.added_lines.iter().filter(|(of, _, pieces)| completed.contains(of) && *pieces > 0);
    own.chain(added.map(|(_, code, pieces)| (code.clone(), *pieces))).collect()
}
