//! Which flow runs for a subject.

use super::{Flow, order, product, stock};
use crate::domain::event::subject::SubjectKind;

/// The flow of each kind of subject.
pub fn flow_for(kind: SubjectKind) -> &'static dyn Flow {
    match kind {
        SubjectKind::Order => &order::OrderFlow,
        SubjectKind::Stock => &stock::StockFlow,
        SubjectKind::Product => &product::ProductFlow,
    }
}
