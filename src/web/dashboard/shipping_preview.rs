//! A shipping rule for orders that wait for one: the form, its preview, and the rule saved together with the release.

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use sqlx::PgConnection;

use super::{
    badge::{Tone, flash},
    concern::order_links,
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::url,
    page::page,
    releases::at_most,
    shipping_codes,
    user::User,
    widgets::csrf_field,
};
use crate::{
    actions::{self, ActionError, MAX_REPLAYED},
    domain::{
        shipping::{ShippingRule, matches_named_method, methods_of_new_rule},
        task::reason::Reason,
    },
    explain::{attention_texts, conflict_text, counted_in},
    store::{
        self, shipping_rules,
        views::{
            attention,
            overview::{self, TaskFilter, TaskRow},
            releasable::WaitingFilter,
            shipping_methods,
        },
    },
};

/// Orders whose numbers a preview shows.
const MAX_SHOWN: i64 = 50;

/// What was typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RuleForm {
    connection: String,
    /// What the last attempt of the orders said, which names their method.
    detail: String,
    pattern: String,
    code: String,
    pickup: Option<String>,
}

impl RuleForm {
    /// The form for orders whose last attempt said this. The first quoted name is the method's; it can be edited.
    pub(super) fn of_detail(connection: &str, detail: &str) -> Self {
        let pattern = detail.split('"').nth(1).unwrap_or_default().to_owned();
        Self { connection: connection.to_owned(), detail: detail.to_owned(), pattern, ..Self::default() }
    }

    /// The connection that the rule is for.
    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    fn of_form(form: &OperatorForm) -> Self {
        let text = |name| form.field(name).unwrap_or_default().to_owned();
        Self {
            connection: text("connection"),
            detail: text("detail"),
            pattern: text("pattern"),
            code: text("code"),
            pickup: form.field("pickup").map(ToOwned::to_owned),
        }
    }

    fn rule(&self) -> ShippingRule {
        let (pattern, code) = (self.pattern.trim().to_owned(), self.code.trim().to_owned());
        ShippingRule { pattern, code, pickup: self.pickup.is_some() }
    }

    /// The orders that wait for a rule for the same method.
    fn filter(&self) -> TaskFilter {
        TaskFilter {
            connection: Some(self.connection.clone()),
            kind: Some("order".to_owned()),
            reason: Some(Reason::ShippingUnmapped.code().to_owned()),
            detail: Some(self.detail.clone()),
            state: Some("dead".to_owned()),
            ..TaskFilter::default()
        }
    }
}

/// The form: it leads to a preview. It suggests the codes in use.
pub(super) fn form(user: &User, typed: &RuleForm, codes: &[String]) -> Markup {
    let texts = attention_texts(user.language);
    let words = user.words();
    html! {
        form.row.rule action="/attention/shipping-rule" {
            input type="hidden" name="connection" value=(typed.connection);
            input type="hidden" name="detail" value=(typed.detail);
            @let of = format!("{} {}", typed.connection, typed.detail);
            (shipping_codes::field((words.warehouse_code, texts.choose_code), &typed.code, codes, &of))
            label { (words.pattern) input name="pattern" value=(typed.pattern) required; }
            label.tick { input type="checkbox" name="pickup" value="yes" checked[typed.pickup.is_some()]; (words.pickup) }
            button { (texts.preview_button) }
            small { (texts.where_codes_are) }
        }
    }
}

/// What the rule would do.
pub(super) async fn preview(
    State(deps): State<DashboardState>,
    user: User,
    Query(typed): Query<RuleForm>,
) -> Result<Markup, PageError> {
    if !user.is_operator() {
        return Err(PageError::Forbidden);
    }
    preview_page(&deps, &user, &typed, None).await
}

async fn preview_page(
    deps: &DashboardState,
    user: &User,
    typed: &RuleForm,
    refused: Option<&str>,
) -> Result<Markup, PageError> {
    let texts = attention_texts(user.language);
    let mut db = deps.pool.acquire().await?;
    let count = attention::count_closed(&mut db, &typed.filter()).await?;
    let orders = overview::list_closed_oldest_first(&mut db, &typed.filter(), MAX_SHOWN).await?;
    let codes = shipping_codes::load(&mut db, &deps.rules, &typed.connection).await?;
    let rule = typed.rule();
    let is_whole = !rule.pattern.is_empty() && !rule.code.is_empty() && refused.is_none();
    let others = if is_whole { other_methods(&mut db, deps, typed, &rule).await? } else { Vec::new() };
    drop(db);
    let main = html! {
        h1 { (user.words().fix_shipping) }
        @if let Some(text) = refused {
            (flash(Tone::Stopped, &html! { p role="alert" { b { (texts.not_saved) } " " (text) } }))
        }
        div.card { (form(user, typed, &codes)) }
        @if is_whole { (consequences(user, typed, &rule, &Waiting { count, orders, others })) }
    };
    Ok(page(user, MenuItem::Attention, user.words().fix_shipping, &main))
}

/// The other methods of orders so far that the rule would decide about, by name.
async fn other_methods(
    db: &mut PgConnection,
    deps: &DashboardState,
    typed: &RuleForm,
    rule: &ShippingRule,
) -> store::Result<Vec<String>> {
    let configured = deps.rules.get(&typed.connection).map(Vec::as_slice).unwrap_or_default();
    let by_hand = shipping_rules::load(db, &typed.connection).await?;
    let methods = shipping_methods::list_methods_with_codes(db, &typed.connection).await?;
    let taken = methods_of_new_rule(&methods, rule, (configured, &by_hand)).into_iter();
    let names = taken.filter_map(|method| method.name.clone());
    Ok(names.filter(|name| !typed.detail.contains(&format!("{name:?}"))).collect())
}

/// What waits for the rule, and what else it takes.
struct Waiting {
    count: i64,
    /// The oldest of the orders.
    orders: Vec<TaskRow>,
    /// The other methods.
    others: Vec<String>,
}

fn consequences(user: &User, typed: &RuleForm, rule: &ShippingRule, waiting: &Waiting) -> Markup {
    let Waiting { count, orders, others } = waiting;
    let count = *count;
    let texts = attention_texts(user.language);
    let matches = matches_named_method(&typed.detail, std::slice::from_ref(rule));
    let goes = matches && count > 0 && !rule.leaves_to_shop();
    html! {
        section.well aria-labelledby="pv" {
            h2 #pv { (texts.preview) }
            p {
                @let quoted = |words: &str| texts.quote.replace('%', words);
                (quoted(&rule.pattern)) " "
                @if rule.leaves_to_shop() { (texts.stays_in_shop) "." } @else { (texts.becomes) " " (quoted(&rule.code)) "." }
                @if matches { " " (counted_in(count, texts.would_go, user.language)) } @else { " " (texts.would_not_match) }
            }
            @if matches { (order_links(&typed.connection, orders, count, user)) }
            p {
                @if others.is_empty() { (texts.takes_no_other) }
                @else { (texts.takes_too) ": " (others.join("; ")) "." }
            }
            form.row method="post" action="/attention/shipping-rule" {
                (csrf_field(user))
                input type="hidden" name="connection" value=(typed.connection);
                input type="hidden" name="detail" value=(typed.detail);
                input type="hidden" name="pattern" value=(rule.pattern);
                input type="hidden" name="code" value=(rule.code);
                @if rule.pickup { input type="hidden" name="pickup" value="yes"; }
                @if goes {
                    @let orders = counted_in(count.min(MAX_REPLAYED), user.words().order_count, user.language);
                    button.main name="release" value="all" { (texts.save_and_release.replace('%', &orders)) }
                }
                button name="release" value="none" { (texts.save_only) }
                a href="/attention" { (texts.cancel) }
            }
            @if goes { (at_most(user, count)) }
            p.soft { (texts.rule_undo) }
        }
    }
}

/// Saves the rule and releases what waits for it, in one transaction. What is refused is shown again as it was typed.
pub(super) async fn save(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Response, PageError> {
    let typed = RuleForm::of_form(&form);
    let rule = typed.rule();
    let releases = form.field("release") == Some("all");
    let saved = form
        .execute(&deps, async |db, actor| {
            actions::put_shipping_rule(db, actor, &typed.connection, &rule).await?;
            if !releases {
                return Ok(None);
            }
            let filter = WaitingFilter {
                connection: &typed.connection,
                reason: Reason::ShippingUnmapped.code(),
                detail: Some(&typed.detail),
                ids: None,
            };
            Ok::<_, ActionError>(Some(actions::release(db, actor, &filter).await?.id))
        })
        .await;
    match saved {
        Ok(Some(replay)) => Ok(Redirect::to(&format!("/replays/{replay}")).into_response()),
        Ok(None) => {
            let cause = [
                ("connection", Some(typed.connection.as_str())),
                ("kind", Some("order")),
                ("reason", Some(Reason::ShippingUnmapped.code())),
                ("detail", Some(typed.detail.as_str())),
                ("done", Some("rule")),
            ];
            Ok(Redirect::to(&url("/attention/cause", &cause, None)).into_response())
        }
        Err(PageError::Conflict(conflict)) => {
            let text = conflict_text(conflict, form.user.language);
            let again = preview_page(&deps, &form.user, &typed, Some(text)).await?;
            Ok((StatusCode::CONFLICT, again).into_response())
        }
        Err(error) => Err(error),
    }
}
