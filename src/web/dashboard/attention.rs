//! What needs attention: one card a cause, the oldest first, each with its remedy in place. Fixing a cause once releases
//! everything that waits for it.

use axum::extract::{Query, State};
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    brake_card,
    cause::cause_path,
    cause_card::{self, Known},
    decisions::{self, Decision},
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::ListQuery,
    outage,
    page::page,
    releases::{load_ready, offers},
    user::User,
};
use crate::{
    actions::ConfiguredRules,
    explain::{attention_texts, counted},
    store::{
        self,
        views::{
            attention::AttentionCause,
            braked::{self, Brake, BrakedFigure},
            waiting_syncs::WaitingSync,
        },
    },
};

/// Causes whose orders are shown on the card; the others are one click away.
const MAX_WITH_CONCERNS: usize = 20;

/// Figures of a brake that are shown on its card.
const MAX_FIGURES: i64 = 8;

/// A card, with what it needs.
enum Card {
    Cause(AttentionCause, Option<Known>),
    Brake(Brake, Vec<BrakedFigure>),
    Sync(WaitingSync),
}

/// All causes, the oldest first.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let texts = attention_texts(user.language);
    let mut db = deps.pool.acquire().await?;
    let cards = load(&mut db, &deps.rules, &user).await?;
    let ready = load_ready(&deps, &user, &mut db).await?;
    let down = outage::load(&mut db, None).await?;
    drop(db);
    let count = i64::try_from(cards.len()).unwrap_or(i64::MAX);
    let main = html! {
        div.head { div {
            h1 { @if count == 0 { (words.attention) } @else { (counted(count, words.things_need_you)) } }
            @if count > 0 { p { (texts.by_cause) } }
        } }
        @if query.done == "stock" { p.flash.ok role="status" { (texts.approved) } }
        (outage::messages(&user, &down))
        (offers(&user, &ready))
        @if cards.is_empty() && ready.is_empty() { p.flash.ok role="status" { (words.attention_none) } }
        div.causes { @for card in &cards { (render(&user, card)) } }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

async fn load(db: &mut PgConnection, rules: &ConfiguredRules, user: &User) -> store::Result<Vec<Card>> {
    let mut cards = Vec::new();
    for (at, decision) in decisions::load(db, user.audience()).await?.into_iter().enumerate() {
        cards.push(match decision {
            Decision::Cause(cause) => {
                let is_known = at < MAX_WITH_CONCERNS && user.is_operator();
                let known = if is_known { Some(cause_card::load(db, rules, &cause).await?) } else { None };
                Card::Cause(cause, known)
            }
            Decision::Brake(brake) => {
                let figures = braked::list_figures(db, &brake.connection, MAX_FIGURES).await?;
                Card::Brake(brake, figures)
            }
            Decision::Sync(sync) => Card::Sync(sync),
        });
    }
    Ok(cards)
}

fn render(user: &User, card: &Card) -> Markup {
    match card {
        Card::Cause(cause, known) => cause_card::card(user, cause, known.as_ref(), &cause_path(cause)),
        Card::Brake(brake, figures) => brake_card::card(user, brake, figures),
        Card::Sync(sync) => brake_card::sync_card(user, sync),
    }
}
