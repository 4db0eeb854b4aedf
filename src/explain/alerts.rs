//! Every kind of alert in both languages: what it means and what to do about it.

use crate::domain::{Timestamp, alert::AlertKind, language::Language};

/// An alert as people read it.
#[derive(Clone, Copy, Debug)]
pub struct AlertText {
    /// What is wrong.
    pub title: &'static str,
    /// What to do.
    pub remedy: &'static str,
    /// The page of the dashboard that shows it.
    pub page: &'static str,
}

/// Returns the texts of a kind of alert.
#[expect(clippy::too_many_lines, reason = "one table: each kind with its texts in both languages")]
pub const fn alert_text(kind: AlertKind, language: Language) -> AlertText {
    let (page, english, finnish) = match kind {
        AlertKind::Dead => (
            "/attention",
            ("tasks need attention", "Fix the cause and release what waits for it."),
            ("siirtoja odottaa sinua", "Korjaa syy, ja jatka sitten sitä odottavien käsittelyä."),
        ),
        AlertKind::CircuitOpen => (
            "/connections",
            (
                "MyCashflow or OGOship is down or refuses our credentials",
                "Nothing is lost: calls resume by themselves. Where credentials are refused, fix them.",
            ),
            (
                "MyCashflow tai OGOship ei vastaa tai ei hyväksy Sillan tunnuksia",
                "Mitään ei katoa: Silta yrittää itse uudelleen. Jos tunnuksia ei hyväksytä, korjaa ne.",
            ),
        ),
        AlertKind::StockBraked => (
            "/connections",
            (
                "too many stock figures fell to zero",
                "Look at the warehouse; approve the figures if they are right.",
            ),
            (
                "liian moni saldo putosi nollaan",
                "Tarkista saldot varastolta, ja hyväksy ne, jos ne ovat oikein.",
            ),
        ),
        AlertKind::PollStopped => (
            "/connections",
            (
                "changes that come without a webhook are not seen for now",
                "Connections say which list cannot be read, and why. What was missed is caught up once it can be.",
            ),
            (
                "muutoksia, joista ei tule webhookia, ei toistaiseksi huomata",
                "Yhteydet kertoo, mitä luetteloa ei saada luettua ja miksi. Puuttuvat muutokset haetaan, kun se taas onnistuu.",
            ),
        ),
        AlertKind::ListGap => (
            "/connections",
            (
                "a part of a list cannot be read",
                "Look at that time in the shop or at the warehouse, and tell the vendor's support.",
            ),
            (
                "osaa luettelosta ei saada luettua",
                "Katso tuon ajan tilaukset itse kaupasta tai varastolta, ja kerro asiasta palvelun tukeen.",
            ),
        ),
        AlertKind::BacklogOld => (
            "/tasks?state=pending",
            ("tasks have been due for too long", "Check that a worker runs and the rate is enough."),
            (
                "siirtoja on odottanut liian pitkään",
                "Tarkista, että Silta on käynnissä ja että sen kutsutahti riittää.",
            ),
        ),
        AlertKind::Silent => (
            "/",
            (
                "no order has come for suspiciously long",
                "Check that the shop sells and its webhook is registered.",
            ),
            (
                "tilauksia ei ole tullut epäilyttävän pitkään",
                "Tarkista, että kauppa on auki ja sen webhook on rekisteröity.",
            ),
        ),
        AlertKind::WebhooksRefused => (
            "/connections",
            ("all webhooks are rejected", "The hint says what seems wrong: key, encoding or header."),
            ("kaikki webhookit hylätään", "Vihje kertoo, mikä on vialla: avain, koodaus vai otsake."),
        ),
        AlertKind::WaitingForProducts => (
            "/orders?waiting=true",
            (
                "orders have waited for products for too long",
                "Order the goods, or split or cancel the orders: each order's page says how.",
            ),
            (
                "tilauksia on odottanut tuotteita liian pitkään",
                "Hanki tuotteita, tai jaa tai peru tilaukset: tilauksen sivulla kerrotaan, miten.",
            ),
        ),
        AlertKind::SubscriptionGone => (
            "/connections",
            ("a webhook subscription is gone", "Register it again: silta webhooks register."),
            ("webhook-rekisteröinti on kadonnut", "Rekisteröi se uudelleen: silta webhooks register."),
        ),
    };
    let (title, remedy) = match language {
        Language::English => english,
        Language::Finnish => finnish,
    };
    AlertText { title, remedy, page }
}

/// Since when it has been so, or was.
pub fn alert_since(kind: &str, seen_at: Timestamp, language: Language) -> String {
    let at = seen_at.format(match language {
        Language::English => "%Y-%m-%d %H:%M UTC",
        Language::Finnish => "%-d.%-m.%Y klo %-H.%M (UTC)",
    });
    match (kind, language) {
        ("closed", Language::English) => format!("It began at {at} and is over now."),
        ("closed", Language::Finnish) => format!("Se alkoi {at} ja on nyt ohi."),
        (_, Language::English) => format!("Since {at}."),
        (_, Language::Finnish) => format!("Alkoi {at}."),
    }
}

/// Marks a notification as a reminder or as the end of an alert.
pub fn alert_prefix(kind: &str, language: Language) -> &'static str {
    match (kind, language) {
        ("closed", Language::English) => "over:",
        ("closed", Language::Finnish) => "ohi:",
        ("reminded", Language::English) => "still:",
        ("reminded", Language::Finnish) => "yhä:",
        _ => "",
    }
}
