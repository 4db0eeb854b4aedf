//! Connections: health, pause switch, stock brake, test; polls, syncs, webhooks, switches, shipping rules, keys and the settings
//! in effect.

use axum::{
    extract::{Query, State},
    response::Redirect,
};
use maud::{Markup, html};

use super::{
    connection_parts::HERE,
    connection_section::{CommonData, ConnectionSection},
    deps::DashboardState,
    error::PageError,
    form::OperatorForm,
    frame::MenuItem,
    listing::{ListQuery, url},
    page::page,
    releases::{load_waiting, offers},
    shipping_rule,
    user::User,
    webhooks::key_table,
};
use crate::{
    actions,
    domain::{connection_work::WorkKind, shipping::ShippingRule},
    store::{connections, key_usage},
};

/// Every connection, and the admin tokens.
pub(super) async fn list(
    State(deps): State<DashboardState>,
    user: User,
    Query(query): Query<ListQuery>,
) -> Result<Markup, PageError> {
    let words = user.words();
    let only = query.connection.as_deref();
    let mut db = deps.pool.acquire().await?;
    let mut sections = Vec::new();
    for row in connections::list(&mut db).await? {
        if only.is_none_or(|name| *name == row.name) {
            sections.push(ConnectionSection::load(&mut db, row).await?);
        }
    }
    let waiting = load_waiting(&deps, &user, &mut db, only).await?;
    let common = CommonData::load(&mut db, &user, waiting).await?;
    let tokens = key_usage::list_keys(&mut db, "").await?;
    drop(db);
    let ready: Vec<_> = common.waiting.iter().filter(|it| it.ready).cloned().collect();
    let main = html! {
        h1 { (words.connections) }
        (offers(&user, &ready))
        @if sections.is_empty() { p.card.empty { (words.no_connections) } }
        @for section in &sections { (section.render(&user, &deps, &common)) }
        section.card.flush aria-label=(words.admin_tokens) {
            h2 { (words.admin_tokens) }
            (key_table(&user, words.admin_tokens, &tokens))
        }
    };
    Ok(page(&user, MenuItem::Connections, words.connections, &main))
}

/// What an operator can do with a connection.
enum ConnectionRequest<'a> {
    Pause,
    Resume,
    Poll(&'a str),
    PutRule(ShippingRule),
    RemoveRule(&'a str),
    Work(WorkKind),
    Detect(&'a str),
}

/// Pauses or resumes a connection, polls a list, changes a shipping rule, tests it, registers its
/// webhooks or asks for the detection of a signature.
pub(super) async fn ask(
    State(deps): State<DashboardState>,
    form: OperatorForm,
) -> Result<Redirect, PageError> {
    let name = form.require("connection")?;
    let request = match form.require("ask")? {
        "pause" => ConnectionRequest::Pause,
        "resume" => ConnectionRequest::Resume,
        "poll" => ConnectionRequest::Poll(form.require("what")?),
        "put_rule" => ConnectionRequest::PutRule(shipping_rule::parse(&form)?),
        "remove_rule" => ConnectionRequest::RemoveRule(form.require("pattern")?),
        "test" => ConnectionRequest::Work(WorkKind::Test),
        "register" => ConnectionRequest::Work(WorkKind::Register),
        "detect" => ConnectionRequest::Detect(form.require("sender")?),
        _ => return Err(PageError::InvalidForm),
    };
    let setup = deps.work.webhook_setup(name);
    let work = form
        .execute(&deps, async |db, actor| {
            match &request {
                ConnectionRequest::Pause => actions::pause(db, actor, name).await?,
                ConnectionRequest::Resume => actions::resume(db, actor, name).await?,
                ConnectionRequest::Poll(what) => actions::poll_now(db, actor, name, what).await?,
                ConnectionRequest::PutRule(rule) => actions::put_shipping_rule(db, actor, name, rule).await?,
                ConnectionRequest::RemoveRule(pattern) => {
                    actions::remove_shipping_rule(db, actor, name, pattern).await?;
                }
                ConnectionRequest::Work(kind) => {
                    return actions::request_work(db, actor, (name, *kind), setup.as_ref()).await.map(Some);
                }
                ConnectionRequest::Detect(sender) => {
                    actions::request_detection(db, actor, (name, sender), setup.as_ref()).await?;
                }
            }
            Ok(None)
        })
        .await?;
    // Only now: nothing is asked of a vendor that is not in the audit log.
    if let Some(work) = work {
        deps.work.start(work);
    }
    Ok(Redirect::to(&url(HERE, &[("connection", Some(name))], None)))
}
