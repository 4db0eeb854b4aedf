//! Every kind of alert in both languages: what it means and what a person does about it.

use crate::domain::{alert::AlertKind, language::Language};

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

/// What a kind of alert means.
pub const fn alert_text(kind: AlertKind, language: Language) -> AlertText {
    let (page, english, finnish) = match kind {
        AlertKind::Dead => (
            "/attention",
            ("tasks wait for a person", "Fix the cause and release what waits for it."),
            ("toimituksia odottaa ihmistä", "Korjaa syy ja vapauta sitä odottavat."),
        ),
        AlertKind::CircuitOpen => (
            "/connections",
            (
                "a vendor is down or refuses our credentials",
                "Nothing is lost: it is asked again by itself. Where credentials are refused, fix them.",
            ),
            (
                "järjestelmä on poissa tai hylkää tunnuksemme",
                "Mitään ei katoa: sitä kysytään uudelleen itsestään. Jos tunnukset hylätään, korjaa ne.",
            ),
        ),
        AlertKind::StockBraked => (
            "/connections",
            (
                "too many stock figures fell to zero",
                "Look at the warehouse; release the brake if they are right.",
            ),
            (
                "liian moni saldo putosi nollaan",
                "Tarkista varastosta; vapauta jarru, jos saldot ovat oikein.",
            ),
        ),
        AlertKind::PollStopped => (
            "/connections",
            ("a list has not been read for too long", "Look at the last error of the poll."),
            ("luetteloa ei ole luettu liian pitkään aikaan", "Katso läpikäynnin viimeisin virhe."),
        ),
        AlertKind::BacklogOld => (
            "/tasks?state=pending",
            ("tasks have waited for too long", "Look whether a worker runs and the rate is enough."),
            (
                "toimituksia on odottanut liian pitkään",
                "Katso, onko työntekijä käynnissä ja riittääkö tahti.",
            ),
        ),
        AlertKind::Silent => (
            "/",
            (
                "no order has come for suspiciously long",
                "Look whether the shop sells and its webhook still stands.",
            ),
            (
                "tilauksia ei ole tullut epäilyttävän pitkään",
                "Katso, myykö kauppa ja onko sen webhook tallella.",
            ),
        ),
        AlertKind::WebhooksRefused => (
            "/connections",
            (
                "webhooks are refused, and none is taken",
                "The hint says what seems wrong: key, encoding or header.",
            ),
            (
                "webhookeja hylätään, eikä yhtään hyväksytä",
                "Vihje kertoo, mikä on vialla: avain, koodaus vai otsake.",
            ),
        ),
        AlertKind::SubscriptionGone => (
            "/connections",
            ("a webhook subscription is gone", "Register it again: silta webhooks register."),
            ("webhookin tilaus on kadonnut", "Rekisteröi se uudelleen: silta webhooks register."),
        ),
    };
    let (title, remedy) = match language {
        Language::English => english,
        Language::Finnish => finnish,
    };
    AlertText { title, remedy, page }
}

/// How much of it there is, and what exactly.
pub fn alert_detail(count: i64, detail: &str) -> String {
    if count > 1 { format!("{count}: {detail}") } else { detail.to_owned() }
}

/// How a message is marked: it lasts, or it is over.
pub fn alert_prefix(word: &str, language: Language) -> &'static str {
    match (word, language) {
        ("closed", Language::English) => "over:",
        ("closed", Language::Finnish) => "ohi:",
        ("reminded", Language::English) => "still:",
        ("reminded", Language::Finnish) => "yhä:",
        _ => "",
    }
}
