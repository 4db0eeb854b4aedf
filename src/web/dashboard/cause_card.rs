//! The card of a cause: what it is, since when, what is known of it, and the remedy in place.

use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    adoption_card,
    brake_card::title,
    cause_remedy::{Remedy, remedy_of},
    concern::{self, Concern, detail_text, links, links_with_details},
    listing::{order_path, url},
    order_actions,
    order_offers::is_unpaid,
    order_remedy::{handled_button, is_handled_outside},
    parcels,
    releases::noun,
    shipping_codes,
    shipping_preview::{self, RuleForm},
    unknown_card,
    user::User,
    widgets::{button, reason_of, remedy_of_vendor},
};
use crate::{
    actions::ConfiguredRules,
    domain::vendor::Vendor,
    explain::{attention_texts, counted_in, one_or_many},
    store::{
        self,
        views::attention::{AttentionCause, MAX_OLDEST},
    },
};

/// What a card shows of its cause.
pub(super) struct Known {
    /// The oldest that it concerns.
    concerns: Vec<Concern>,
    /// The warehouse's shipping codes in use, for a rule.
    codes: Vec<String>,
}

/// Loads the oldest that a cause concerns, and what the remedy needs.
pub(super) async fn load(
    db: &mut PgConnection,
    rules: &ConfiguredRules,
    cause: &AttentionCause,
) -> store::Result<Known> {
    let chosen = chosen(cause);
    let concerns = concern::load(db, cause, chosen.needs_orders()).await?;
    let codes = match chosen {
        Remedy::Rule => shipping_codes::load(db, rules, &cause.connection).await?,
        _ => Vec::new(),
    };
    Ok(Known { concerns, codes })
}

fn chosen(cause: &AttentionCause) -> Remedy {
    remedy_of(&cause.state, &cause.reason, &cause.kind)
}

/// The card; `path` leads to all that waits for the cause.
pub(super) fn card(user: &User, cause: &AttentionCause, known: Option<&Known>, path: &str) -> Markup {
    let concerns = known.map(|known| known.concerns.as_slice()).unwrap_or_default();
    let vendor = concerns.iter().find_map(Concern::vendor);
    let chosen = chosen(cause);
    let what = html! { a href=(path) { (what_happened(user, cause, vendor)) } " – " (cause.connection) };
    html! {
        section.card.cause {
            (title(user, &what, cause.oldest_at))
            @if let Some(detail) = &cause.detail { p { (detail_text(user, &cause.reason, detail)) } }
            @match chosen {
                Remedy::Unknown if cause.kind == "order" && !concerns.is_empty() => {
                    @for concern in concerns { (unknown_card::halves(user, &cause.connection, concern)) }
                }
                chosen => {
                    @match chosen {
                        Remedy::Replacement => {}
                        Remedy::FixFirst | Remedy::Codes => { (links_with_details(user, cause, concerns)) }
                        _ => { (links(user, cause, concerns)) }
                    }
                    (remedy_of_vendor(user, &cause.reason, vendor))
                    @if user.is_operator() { (in_place(user, cause, (known, path), chosen)) }
                }
            }
            @if cause.count > MAX_OLDEST.into() && !links_to_all(user, chosen) { p { a href=(path) { (attention_texts(user.language).see_all) } } }
        }
    }
}

/// How many, and why they stopped.
pub(super) fn what_happened(user: &User, cause: &AttentionCause, vendor: Option<Vendor>) -> Markup {
    html! {
        (counted_in(cause.count, noun(user, &cause.kind), user.language)) ": "
        @match (cause.state.as_str(), cause.kind.as_str()) {
            ("in_doubt", "order") => { (user.words().order_in_doubt) }
            _ if cause.reason.is_empty() => { (user.words().cause_in_doubt) }
            _ => { (reason_of(user, Some(&cause.reason), vendor)) }
        }
    }
}

/// Whether the remedy in place is a link to all of them.
fn links_to_all(user: &User, chosen: Remedy) -> bool {
    user.is_operator() && matches!(chosen, Remedy::FixFirst | Remedy::Replay | Remedy::Write)
}

/// The remedy as a form or a button.
fn in_place(
    user: &User,
    cause: &AttentionCause,
    (known, all): (Option<&Known>, &str),
    chosen: Remedy,
) -> Markup {
    let texts = attention_texts(user.language);
    let (concerns, codes) = known.map(|it| (&*it.concerns, &*it.codes)).unwrap_or_default();
    let connection = cause.connection.as_str();
    html! {
        @match chosen {
            Remedy::Rule => {
                @let typed = RuleForm::of_detail(connection, cause.detail.as_deref().unwrap_or_default());
                (shipping_preview::form(user, &typed, codes))
            }
            Remedy::Adopt => { @for concern in concerns { (adoption_card::choices(user, connection, concern)) } }
            Remedy::Replacement => {
                @for order in concerns.iter().filter_map(|it| it.order.as_ref()) {
                    div.well {
                        h3 { a href=(order_path(connection, &order.order_id)) { (user.words().order) " " (order.order_id) } }
                        (parcels::added_shipments(user, &order_path(connection, &order.order_id), order))
                    }
                }
            }
            Remedy::Codes => {
                @let codes = [("connection", Some(connection)), ("show", Some("code"))];
                a.btn href=(url("/products", &codes, None)) { (one_or_many(texts.see_codes, cause.count)) }
            }
            Remedy::Orders(request) => {
                div.row { @for id in concerns.iter().filter_map(|it| it.subject.strip_prefix("order:")) {
                    @let path = order_path(connection, id);
                    @let label = format!("{}: {id}", request_text(user, request));
                    @if request == "transfer" && is_unpaid(Some(&cause.reason)) { (order_actions::unpaid(user, &path, &label)) }
                    @else { (button(user, &path, &[("ask", request)], &label)) }
                } }
            }
            Remedy::FixFirst => {
                @if cause.kind == "order" && is_handled_outside(&cause.reason) {
                    p.soft { (texts.handled_consequence) }
                    div.row { @for concern in concerns {
                        @let id = concern.subject.trim_start_matches("order:");
                        (handled_button(user, concern.task, &format!("{}: {id}", texts.mark_handled)))
                    } }
                }
                @match only_order(cause, concerns) {
                    Some(id) => { a.btn href=(order_path(connection, id)) { (texts.open_order) } }
                    None => { a.btn href=(all) { (one_or_many(user.words().offer_show, cause.count)) } }
                }
            }
            Remedy::Write => { a.btn href=(all) { (one_or_many(texts.see_and_send, cause.count)) } }
            Remedy::Unknown | Remedy::Replay => { a.btn href=(all) { (one_or_many(texts.see_and_try, cause.count)) } }
        }
    }
}

/// The order's number, where the cause is that of one order alone.
fn only_order<'a>(cause: &AttentionCause, concerns: &'a [Concern]) -> Option<&'a str> {
    let concern = concerns.first().filter(|_| cause.count == 1)?;
    concern.subject.strip_prefix("order:")
}

fn request_text(user: &User, request: &str) -> &'static str {
    let words = user.words();
    match request {
        "transfer" => words.transfer,
        "release" => words.release,
        _ => words.refresh,
    }
}
