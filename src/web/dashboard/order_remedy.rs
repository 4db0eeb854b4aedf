//! What a stuck order needs, in place on its own page: the rule form, the answer to what happened, the choice of what it is.

use maud::{Markup, html};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    adoption_card,
    cause_remedy::{Remedy, remedy_of},
    concern::{self, Concern, detail_text},
    deps::DashboardDeps,
    listing::{order_path, url},
    shipping_codes,
    shipping_preview::{self, RuleForm},
    unknown_card,
    user::User,
    widgets::{button, remedy_text},
};
use crate::{
    domain::task::reason::Reason,
    explain::attention_texts,
    store::{self, views::orders::OrderRow},
};

/// A stuck order, with what its remedy needs.
pub(super) struct Stuck {
    remedy: Remedy,
    concern: Concern,
    /// The warehouse's shipping codes in use, for a rule.
    codes: Vec<String>,
}

/// Loads it; `None` where nothing is stuck, and for viewers, who can remedy nothing.
pub(super) async fn load(
    db: &mut PgConnection,
    deps: &DashboardDeps,
    user: &User,
    order: &OrderRow,
) -> store::Result<Option<Stuck>> {
    let state = order.task_state.as_deref().filter(|state| matches!(*state, "dead" | "in_doubt"));
    let is_stuck = user.is_operator() && order.handled_at.is_none();
    let stuck = state.zip(order.task_id).filter(|_| is_stuck);
    let Some((state, task)) = stuck else { return Ok(None) };
    let remedy = remedy_of(state, order.reason.as_deref().unwrap_or_default(), "order");
    let codes = match remedy {
        Remedy::Rule => shipping_codes::load(db, &deps.rules, &order.connection).await?,
        _ => Vec::new(),
    };
    Ok(Some(Stuck { remedy, concern: concern::of_stuck(db, task, order.clone()).await?, codes }))
}

/// Whether what an order asks for is done outside Silta, and may leave no trace on either side.
pub(super) fn is_handled_outside(code: &str) -> bool {
    Reason::parse(code).is_some_and(|reason| Reason::HANDLED_OUTSIDE.contains(&reason))
}

/// The button that says that it is done.
pub(super) fn handled_button(user: &User, task: Uuid, label: &str) -> Markup {
    button(user, &format!("/tasks/{task}"), &[("ask", "handled"), ("from", "order")], label)
}

/// The remedy, and the way to everything that stopped for the same cause.
pub(super) fn section(user: &User, order: &OrderRow, stuck: Option<&Stuck>) -> Markup {
    let Some(Stuck { remedy, concern, codes }) = stuck else { return html! {} };
    let texts = attention_texts(user.language);
    let (connection, reason) = (order.connection.as_str(), order.reason.as_deref());
    let code = reason.unwrap_or_default();
    let same = [("connection", Some(connection)), ("kind", Some("order")), ("reason", reason)];
    let detail = concern.detail().unwrap_or_default();
    let is_dead = order.task_state.as_deref() == Some("dead");
    html! {
        section.card.remedy-here.no-print aria-labelledby="remedy" {
            h2 #remedy { (user.words().remedy) }
            @if *remedy != Remedy::Unknown {
                @let what_to_do = remedy_text(user, code, concern.vendor());
                @if !what_to_do.is_empty() { p { (what_to_do) } }
                // What differs stands beside the question what it is.
                @if !detail.is_empty() && *remedy != Remedy::Adopt { p { (detail_text(user, code, detail)) } }
            }
            @match remedy {
                Remedy::Rule => { (shipping_preview::form(user, &RuleForm::of_detail(connection, detail), codes)) }
                Remedy::Unknown => { (unknown_card::halves(user, connection, concern)) }
                Remedy::Adopt => { (adoption_card::choices(user, connection, concern)) }
                Remedy::Replacement => { p { a href="#added" { (user.words().added_shipments) } } }
                other => {
                    p { (if *other == Remedy::FixFirst { texts.try_corrected } else { texts.try_again_text }) }
                    (button(user, &order_path(connection, &order.order_id), &[("ask", "refresh")], texts.try_again))
                }
            }
            @if is_dead && is_handled_outside(code) {
                p { (texts.handled_consequence) }
                (handled_button(user, concern.task, texts.mark_handled))
            }
            @if is_dead { p { a href=(url("/attention/cause", &same, None)) { (texts.same_cause) } } }
        }
    }
}
