//! Who reads, and what is left out for them.
//!
//! Operators see what the work needs: personal values are redacted when they are recorded, the rest is shown. Viewers see
//! ids, codes, states, quantities, amounts and times; nothing that a shopper or a vendor put into words.

use serde_json::{Value, json};

use crate::{
    domain::{
        alert::AlertKind,
        check::{Check, Found},
        failed_call::{CallCause, FailedCall, Unreached},
        task::reason::Reason,
        viewer_mask::{MASK, is_shown_as_id, mask_for_viewers},
    },
    store::{
        actions::ActionRow,
        alerts::AlertRow,
        attempts::AttemptRow,
        sync_differences::DifferenceRow,
        views::{
            attention::AttentionCause,
            orders::{OrderLineRow, OrderRow},
        },
    },
};

/// The kind of subject that belongs to a person.
pub(super) const ORDER: &str = "order";

/// The fields of a call that viewers see: Silta wrote them.
const CALL_FIELDS: [&str; 9] =
    ["vendor", "call", "at", "request_id", "method", "path", "status", "millis", "sent"];

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Sees nothing that somebody put into words.
    Viewer,
    /// Sees what the work needs.
    Operator,
}

impl Audience {
    /// An order.
    #[must_use]
    pub fn order(self, row: OrderRow) -> OrderRow {
        match self {
            Self::Operator => row,
            Self::Viewer => OrderRow {
                warehouse_comments: None,
                tracking_url: None, // opens without a key, and may show the recipient
                related: row.related.as_ref().map(mask_for_viewers),
                pickup_point: row.pickup_point.filter(|point| is_shown_as_id(point)),
                ..row
            },
        }
    }

    /// A line of an order. Its name may be what somebody wrote for one shopper alone.
    #[must_use]
    pub fn order_line(self, row: OrderLineRow) -> OrderLineRow {
        match self {
            Self::Operator => row,
            Self::Viewer => {
                let code =
                    if row.code.is_empty() || is_shown_as_id(&row.code) { row.code } else { MASK.to_owned() };
                OrderLineRow { code, name: None, ..row }
            }
        }
    }

    /// An attempt, with its calls, at a subject of this kind.
    #[must_use]
    pub fn attempt(self, kind: &str, row: AttemptRow) -> AttemptRow {
        match self {
            Self::Operator => row,
            Self::Viewer => AttemptRow {
                detail: detail_for_viewers(kind, row.reason.as_deref(), row.detail),
                calls: row.calls.as_array().into_iter().flatten().map(mask_call).collect(),
                ..row
            },
        }
    }

    /// An action of the ledger.
    #[must_use]
    pub fn action(self, row: ActionRow) -> ActionRow {
        match self {
            Self::Operator => row,
            Self::Viewer => ActionRow { sent: row.sent.as_ref().map(mask_for_viewers), ..row },
        }
    }

    /// The causes of what needs attention. Those that differ only in what is left out are one.
    #[must_use]
    pub fn causes(self, causes: Vec<AttentionCause>) -> Vec<AttentionCause> {
        if self == Self::Operator {
            return causes;
        }
        let mut shown: Vec<AttentionCause> = Vec::new();
        for mut cause in causes {
            cause.detail = detail_for_viewers(&cause.kind, Some(&cause.reason), cause.detail);
            match shown.iter_mut().find(|known| is_same(known, &cause)) {
                Some(known) => {
                    known.count += cause.count;
                    known.oldest_at = known.oldest_at.min(cause.oldest_at);
                }
                None => shown.push(cause),
            }
        }
        shown
    }

    /// What the last attempt of tasks that wait for the same said.
    #[must_use]
    pub fn waiting_detail(self, kind: &str, reason: &str, detail: Option<String>) -> Option<String> {
        match self {
            Self::Operator => detail,
            Self::Viewer => detail_for_viewers(kind, Some(reason), detail),
        }
    }

    /// A difference that a sync found.
    #[must_use]
    pub fn difference(self, row: DifferenceRow) -> DifferenceRow {
        match self {
            Self::Operator => row,
            Self::Viewer => {
                let kind = row.subject.split(':').next().unwrap_or(ORDER);
                let detail = detail_for_viewers(kind, row.reason.as_deref(), row.detail);
                DifferenceRow { detail, ..row }
            }
        }
    }

    /// What an operator asked for, as it is stored: a filter may name a cause by what a vendor said.
    #[must_use]
    pub fn request(self, stored: Value) -> Value {
        match (self, stored) {
            (Self::Viewer, Value::Object(fields)) => {
                let shown = fields.into_iter().map(|(key, value)| {
                    let value =
                        if key == "detail" && value.is_string() { MASK.into() } else { self.request(value) };
                    (key, value)
                });
                Value::Object(shown.collect())
            }
            (_, stored) => stored,
        }
    }

    /// A check of a connection. What products are called, and what a vendor or the system said, is left out.
    #[must_use]
    pub fn check(self, check: Check) -> Check {
        if self == Self::Operator {
            return check;
        }
        let found = match check.found {
            Found::CallFailed(failed) => {
                let cause = match failed.cause {
                    CallCause::Unreached(Unreached::Tls(_)) => {
                        CallCause::Unreached(Unreached::Tls(MASK.to_owned()))
                    }
                    CallCause::Unreached(Unreached::Other(_)) => {
                        CallCause::Unreached(Unreached::Other(MASK.to_owned()))
                    }
                    cause => cause,
                };
                Found::CallFailed(FailedCall { cause, message: None, ..failed })
            }
            found => found,
        };
        Check { found, details: Vec::new(), ..check }
    }

    /// An alert. Behind the counts of dead tasks stands what a vendor said last.
    #[must_use]
    pub fn alert(self, row: AlertRow) -> AlertRow {
        if self == Self::Operator || row.kind != AlertKind::Dead.as_str() {
            return row;
        }
        let counts = row.detail.split_once("; ").map(|(counts, _)| counts.to_owned());
        AlertRow { detail: counts.unwrap_or(row.detail), ..row }
    }
}

fn is_same(one: &AttentionCause, other: &AttentionCause) -> bool {
    let key = |cause: &AttentionCause| {
        let AttentionCause { connection, kind, state, reason, detail, .. } = cause.clone();
        (connection, kind, state, reason, detail)
    };
    key(one) == key(other)
}

/// Details of an order may hold what its shopper wrote, or what a vendor said of it; only the name of a shipping method is
/// the shop's own. Details of products and stock hold codes and figures.
fn detail_for_viewers(kind: &str, reason: Option<&str>, detail: Option<String>) -> Option<String> {
    let is_of_goods = ["product", "stock"].contains(&kind);
    detail.filter(|_| is_of_goods || reason == Some(Reason::ShippingUnmapped.code()))
}

fn mask_call(call: &Value) -> Value {
    let mut shown = json!({});
    for (key, value) in call.as_object().into_iter().flatten() {
        shown[key] = match &**key {
            "request" => mask_for_viewers(value),
            key if CALL_FIELDS.contains(&key) => value.clone(),
            _ => MASK.into(),
        };
    }
    shown
}
