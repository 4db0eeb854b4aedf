//! Needs a person: everything that waits for one, by its cause, with the remedy in words. Mending a cause once lets go
//! whatever waits for it.

use axum::{
    extract::{Query as AxumQuery, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    Dash,
    act::Asked,
    guard::Refusal,
    page::{self, Place, Query, page, secret, time},
    session::Visitor,
    tasks,
};
use crate::{
    actions,
    domain::{language::Language, shipping::ShippingRule, task::outcome::Reason},
    explain,
    store::views::{
        attention::{self, Cause},
        overview::{self, DeliveryFilter, DeliveryRow},
    },
};

/// All causes, the most common first.
pub(super) async fn list(State(dash): State<Dash>, visitor: Visitor) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let mut db = dash.pool.acquire().await?;
    let causes = attention::causes(&mut db).await?;
    drop(db);
    let main = html! {
        h1 { (words.needs) }
        @if causes.is_empty() { p.verdict.good role="status" { (words.needs_nothing) } }
        @else { ul.causes { @for cause in &causes { li.card {
            h2 { a href=(cause_path(cause)) { (why(&visitor, cause)) } }
            p { b { (cause.count) } " × " (cause.kind) " – " (standing(&visitor, &cause.standing)) " – " (cause.connection) " – "
                (words.oldest) " " (time(&dash, &visitor, cause.oldest_at)) }
            @if let Some(detail) = &cause.detail { p.small { (explain::detail(detail, visitor.language)) } }
            (remedy(&visitor, &cause.reason))
        } } } }
    };
    Ok(page(&visitor, Place::Needs, words.needs, &main))
}

fn why(visitor: &Visitor, cause: &Cause) -> Markup {
    html! { @if cause.reason.is_empty() { (standing(visitor, &cause.standing)) } @else { (page::reason(visitor, Some(&cause.reason))) } }
}

fn standing(visitor: &Visitor, word: &str) -> &'static str {
    let words = visitor.language.words();
    match word {
        "dead" => words.standing_dead,
        "in_doubt" => words.standing_in_doubt,
        _ => words.standing_held,
    }
}

/// What a person does about a reason.
pub(super) fn remedy(visitor: &Visitor, reason: &str) -> Markup {
    let remedy = Reason::parse(reason).map_or("", |reason| explain::remedy(reason, visitor.language));
    html! { @if !remedy.is_empty() { p.remedy { strong { (visitor.language.words().remedy) ": " } (remedy) } } }
}

/// Dead ones are replayed here; what is in doubt is resolved one by one, and what is held is let go as orders are.
fn cause_path(cause: &Cause) -> String {
    let Cause { connection, kind, reason, standing, detail, .. } = cause;
    let named = [
        ("connection", Some(connection.as_str())),
        ("kind", Some(kind.as_str())),
        ("reason", Some(reason.as_str())),
    ];
    match standing.as_str() {
        "dead" => {
            page::link("/needs/cause", &[named[0], named[1], named[2], ("detail", detail.as_deref())], None)
        }
        "in_doubt" => page::link("/deliveries", &[named[0], named[1], ("state", Some("in_doubt"))], None),
        _ => page::link("/orders", &[named[0], named[2]], None),
    }
}

/// One cause: the remedy, what waits for it, and the way to let it go.
pub(super) async fn show(
    State(dash): State<Dash>,
    visitor: Visitor,
    AxumQuery(query): AxumQuery<Query>,
) -> Result<Markup, Refusal> {
    let words = visitor.language.words();
    let filter = filter_of(&query);
    let mut db = dash.pool.acquire().await?;
    let count = attention::count_closed(&mut db, &filter).await?;
    let rows: Vec<DeliveryRow> = overview::closed_oldest_first(&mut db, &filter, page::ROWS).await?;
    drop(db);
    let code = query.reason().unwrap_or_default();
    let main = html! {
        h1 { (page::reason(&visitor, Some(code))) }
        @if query.done == "rule" { p.verdict.good role="status" { (words.rule_saved) } }
        (remedy(&visitor, code))
        @if !query.detail.is_empty() { p.small { (explain::detail(&query.detail, visitor.language)) } }
        @if code == Reason::ShippingUnmapped.code() && visitor.is_operator() && count > 0 { (shipping_form(&visitor, &query)) }
        @if count == 0 { p.verdict.good role="status" { (words.needs_nothing) } } @else {
            (tasks::to_replay(&dash, &visitor, &filter, &rows, count, [words.release_all, words.release_ticked]))
        }
    };
    Ok(page(&visitor, Place::Needs, words.needs, &main))
}

fn filter_of(query: &Query) -> DeliveryFilter {
    DeliveryFilter {
        connection: query.connection().map(ToOwned::to_owned),
        kind: query.kind().map(ToOwned::to_owned),
        reason: query.reason().map(ToOwned::to_owned),
        detail: Some(query.detail.clone()).filter(|text| !text.is_empty()),
        state: Some("dead".to_owned()),
        ..DeliveryFilter::default()
    }
}

fn shipping_form(visitor: &Visitor, query: &Query) -> Markup {
    let words = visitor.language.words();
    // The method's first name, as the fault has quoted it; the person sees it and may say otherwise.
    let method = query.detail.split('"').nth(1).unwrap_or_default();
    html! {
        form.card method="post" action="/needs/shipping-rule" {
            h2 { (words.mend_shipping) }
            (secret(visitor))
            input type="hidden" name="connection" value=(query.connection().unwrap_or_default());
            input type="hidden" name="kind" value=(query.kind().unwrap_or_default());
            input type="hidden" name="detail" value=(query.detail);
            (rule_fields(visitor.language, method))
            button.first { (words.save_rule) }
        }
    }
}

/// The fields of a shipping rule.
pub(super) fn rule_fields(language: Language, method: &str) -> Markup {
    let words = language.words();
    html! {
        (page::field("pattern", words.pattern, method))
        (page::field("code", words.warehouse_code, ""))
        label.box { input type="checkbox" name="pickup" value="yes"; " " (words.pickup) }
    }
}

/// Keeps a shipping rule, and goes back to what waits for it.
pub(super) async fn map_shipping(State(dash): State<Dash>, asked: Asked) -> Result<Redirect, Refusal> {
    let connection = asked.need("connection")?;
    let rule = rule_of(&asked)?;
    asked
        .carry_out(&dash, async |db, actor| actions::put_shipping_rule(db, actor, connection, &rule).await)
        .await?;
    let back = [
        ("connection", Some(connection)),
        ("kind", asked.field("kind")),
        ("reason", Some(Reason::ShippingUnmapped.code())),
        ("detail", asked.field("detail")),
        ("done", Some("rule")),
    ];
    Ok(Redirect::to(&page::link("/needs/cause", &back, None)))
}

/// The rule that a form names.
pub(super) fn rule_of(asked: &Asked) -> Result<ShippingRule, Refusal> {
    let text = |name| asked.need(name).map(ToOwned::to_owned);
    Ok(ShippingRule {
        pattern: text("pattern")?,
        code: text("code")?,
        pickup: asked.field("pickup").is_some(),
    })
}
