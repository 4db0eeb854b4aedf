//! What an operator can do about a connection's webhooks: register what is missing, and have a signature detected.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    badge::{Tone, flash},
    connection_parts::HERE,
    user::User,
    webhooks::WebhookStatus,
    widgets::{csrf_field, inline_time},
};
use crate::{
    actions::{ConflictError, WebhookSetup},
    domain::event::source::Source,
    explain::{self, connection_texts, counted_in},
    store::signature_detections::DetectionRequest,
};

/// For how long after its end the result of a detection is shown.
const SHOWN_AFTER: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// The two forms, each with what will happen; none for viewers. Where nothing can be registered, it is said why.
pub(super) fn forms(
    user: &User,
    connection: &str,
    setup: &WebhookSetup,
    obstacle: Option<ConflictError>,
) -> Markup {
    let texts = connection_texts(user.language);
    html! {
        @if user.is_operator() {
            div.actions {
                details {
                    summary.btn { (texts.register) "…" }
                    @match obstacle {
                        Some(obstacle) => {
                            (flash(Tone::Waiting, &html! { p { (explain::capitalised(explain::conflict_text(obstacle, user.language))) } }))
                        }
                        None => {
                            (flash(Tone::Attention, &html! { (consequence(user, setup)) (register_form(user, connection)) }))
                        }
                    }
                }
                details {
                    summary.btn { (texts.detect) "…" }
                    (flash(Tone::Waiting, &html! { p { (texts.detect_consequence) } (detect_form(user, connection, setup)) }))
                }
            }
        }
    }
}

/// What a registration changes, and to which address.
fn consequence(user: &User, setup: &WebhookSetup) -> Markup {
    let texts = connection_texts(user.language);
    html! {
        p { (texts.register_consequence) }
        @for ((source, address), topics) in setup.addresses.iter().zip(&setup.topics) {
            p {
                b { (explain::source_text(source.as_str(), user.language)) } ": " (topics.join(", ")) " " (texts.to_address) " "
                span.code { (address) }
            }
        }
    }
}

fn register_form(user: &User, connection: &str) -> Markup {
    html! {
        form method="post" action=(HERE) {
            (csrf_field(user))
            input type="hidden" name="connection" value=(connection);
            input type="hidden" name="ask" value="register";
            button { (connection_texts(user.language).register_button) }
        }
    }
}

fn detect_form(user: &User, connection: &str, setup: &WebhookSetup) -> Markup {
    let texts = connection_texts(user.language);
    let sources = setup.addresses.iter().map(|(source, _)| *source);
    let sources: Vec<_> = sources.filter(|it| *it != Source::MyCashflow || setup.is_shop_signed).collect();
    html! {
        form.row method="post" action=(HERE) {
            (csrf_field(user))
            input type="hidden" name="connection" value=(connection);
            input type="hidden" name="ask" value="detect";
            label { (texts.detect_sender) " " select name="sender" {
                @for source in sources {
                    option value=(source.as_str()) { (explain::source_text(source.as_str(), user.language)) }
                }
            } }
            button { (texts.detect_button) }
        }
    }
}

/// What has come since a detection was asked for.
pub(super) fn detections(user: &User, status: &WebhookStatus, setup: Option<&WebhookSetup>) -> Markup {
    let shown = status.requests.iter().filter(|it| user.now < it.wanted_until + SHOWN_AFTER);
    html! { @for request in shown { (detection(user, status, request, setup)) } }
}

fn detection(
    user: &User,
    status: &WebhookStatus,
    request: &DetectionRequest,
    setup: Option<&WebhookSetup>,
) -> Markup {
    let texts = connection_texts(user.language);
    let sender = explain::source_text(&request.source, user.language);
    let is_open = request.detected_at.is_none() && user.now < request.wanted_until;
    html! {
        section.well aria-label=(format!("{}: {sender}", texts.detect)) data-refresh[is_open] {
            p { b { (texts.detect) ": " (sender) } " " span.soft { (request.requested_by) } }
            @if request.detected_at.is_some() { (found(user, request)) }
            @else {
                @if is_open { p role="status" { (texts.detecting) " " (inline_time(user, request.wanted_until)) } }
                (seen(user, status, request))
                @if !is_open && !has_come(status, request) {
                    p { (texts.none_came) " " span.code { (address_of(request, setup)) } }
                }
            }
        }
    }
}

fn address_of<'a>(request: &DetectionRequest, setup: Option<&'a WebhookSetup>) -> &'a str {
    let addresses = setup.map(|setup| setup.addresses.as_slice()).unwrap_or_default();
    let address = addresses.iter().find(|(source, _)| source.as_str() == request.source);
    address.map_or("", |(_, address)| address.as_str())
}

/// What has come that ends nothing.
fn seen(user: &User, status: &WebhookStatus, request: &DetectionRequest) -> Markup {
    let texts = connection_texts(user.language);
    let rejected = status.rejected_since(request);
    html! {
        @if request.wrong_tokens > 0 { p { (counted_in(request.wrong_tokens, texts.wrong_token, user.language)) } }
        @for hint in &rejected { p { (explain::hint_text(hint, user.language)) " (" (texts.rejected_since) ")" } }
        @if let (true, Some(headers)) = (user.is_operator(), &request.unsigned_headers) {
            p { (texts.unsigned) " " span.code { (headers.join(", ")) } }
        }
        @if status.was_accepted_since(request) && rejected.is_empty() && request.wrong_tokens == 0 {
            p { (texts.accepted) }
        }
    }
}

fn has_come(status: &WebhookStatus, request: &DetectionRequest) -> bool {
    request.wrong_tokens > 0
        || request.unsigned_headers.is_some()
        || !status.rejected_since(request).is_empty()
        || status.was_accepted_since(request)
}

/// How the webhook is signed, and what to write into the file.
fn found(user: &User, request: &DetectionRequest) -> Markup {
    let texts = connection_texts(user.language);
    let found = request.found.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    html! {
        p role="status" { b { (texts.detected) } }
        @for line in found {
            @let [header, hash, encoding, key] = ["header", "hash", "encoding", "key"].map(|name| text(line, name));
            p {
                span.code { (header) } " " (texts.detected_line) " " (hash) ", " (encoding) ", " (texts.detected_by) " "
                span.code { (key) }
            }
            @if hash == "HMAC-SHA256" && request.source == Source::MyCashflow.as_str() {
                p { (texts.detected_write) }
                pre role="group" aria-label="[connections.mycashflow.signature]" tabindex="0" { "[connections.mycashflow.signature]\nheader = " (format!("{header:?}")) "\nencoding = " (format!("{encoding:?}")) }
            }
        }
    }
}
