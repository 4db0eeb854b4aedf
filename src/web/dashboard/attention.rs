//! What needs attention: one card a cause, the oldest first, each with its remedy in place. Fixing a cause once releases
//! everything that waits for it.

use axum::extract::{Query, State};
use maud::{Markup, html};
use sqlx::PgConnection;

use super::{
    badge::{Tone, badge},
    brake_card::{self, WaitingSync},
    cause::cause_path,
    cause_card,
    concern::Concern,
    deps::DashboardState,
    error::PageError,
    frame::MenuItem,
    listing::ListQuery,
    page::page,
    releases::{load_ready, noun, offers},
    user::User,
    widgets::reason,
};
use crate::{
    domain::Timestamp,
    explain::{self, attention_texts, counted},
    store::{
        self,
        views::{
            attention::{self, AttentionCause},
            braked::{self, Brake, BrakedFigure},
        },
    },
};

/// Causes whose orders are shown on the card; the others are one click away.
const MAX_WITH_CONCERNS: usize = 20;

/// Figures of a brake that are shown on its card.
const MAX_FIGURES: i64 = 8;

/// A card, with what it needs.
enum Card {
    Cause(AttentionCause, Vec<Concern>),
    Brake(Brake, Vec<BrakedFigure>),
    Sync(WaitingSync),
}

impl Card {
    const fn since(&self) -> Timestamp {
        match self {
            Self::Cause(cause, _) => cause.oldest_at,
            Self::Brake(brake, _) => brake.since,
            Self::Sync(sync) => sync.since,
        }
    }
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
    let cards = load(&mut db, &user).await?;
    let ready = load_ready(&deps, &user, &mut db, None).await?;
    drop(db);
    let count = i64::try_from(cards.len()).unwrap_or(i64::MAX);
    let main = html! {
        div.head { div {
            h1 { @if count == 0 { (words.attention) } @else { (counted(count, words.things_need_you)) } }
            @if count > 0 { p { (texts.by_cause) } }
        } }
        @if query.done == "stock" { p.flash.ok role="status" { (texts.approved) } }
        (offers(&user, &ready))
        @if cards.is_empty() && ready.is_empty() { p.flash.ok role="status" { (words.attention_none) } }
        div.causes { @for card in &cards { (render(&user, card)) } }
    };
    Ok(page(&user, MenuItem::Attention, words.attention, &main))
}

async fn load(db: &mut PgConnection, user: &User) -> store::Result<Vec<Card>> {
    let mut causes = user.audience().causes(attention::list_causes(db).await?);
    causes.sort_by_key(|cause| cause.oldest_at);
    let mut cards = Vec::new();
    for (at, cause) in causes.into_iter().enumerate() {
        let concerns = if at < MAX_WITH_CONCERNS && user.is_operator() {
            cause_card::load(db, &cause, user.now).await?
        } else {
            Vec::new()
        };
        cards.push(Card::Cause(cause, concerns));
    }
    for brake in braked::list_brakes(db).await? {
        let figures = braked::list_figures(db, &brake.connection, MAX_FIGURES).await?;
        cards.push(Card::Brake(brake, figures));
    }
    cards.extend(brake_card::list_waiting_syncs(db).await?.into_iter().map(Card::Sync));
    cards.sort_by_key(Card::since);
    Ok(cards)
}

fn render(user: &User, card: &Card) -> Markup {
    match card {
        Card::Cause(cause, concerns) => cause_card::card(user, cause, concerns, &cause_path(cause)),
        Card::Brake(brake, figures) => brake_card::card(user, brake, figures),
        Card::Sync(sync) => brake_card::sync_card(user, sync),
    }
}

/// The first of these causes as a list of decisions, each with the way to its remedy.
pub(super) fn decisions(user: &User, causes: &[AttentionCause], limit: usize) -> Markup {
    html! {
        ul.todo { @for cause in causes.iter().take(limit) { li {
            (badge(tone(&cause.state), &explain::duration_text(user.now - cause.oldest_at, user.language)))
            div {
                p.strong {
                    (counted(cause.count, noun(user, &cause.kind))) ": "
                    @if cause.reason.is_empty() { (user.words().cause_in_doubt) }
                    @else { (reason(user, Some(&cause.reason))) }
                }
                p.soft {
                    (cause.connection)
                    @if let Some(detail) = &cause.detail { " – " (explain::detail(detail, user.language)) }
                }
            }
            a.btn href=(cause_path(cause)) { (user.words().decide) }
        } } }
    }
}

fn tone(state: &str) -> Tone {
    if state == "in_doubt" { Tone::Stopped } else { Tone::Attention }
}
