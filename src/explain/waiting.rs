//! What can be done about an order that waits for products, in both languages.

use serde::Serialize;

use crate::{
    domain::{
        language::Language::{self, English, Finnish},
        order::OrderStatus,
    },
    store::views::orders::OrderRow,
};

/// A choice, with what it does.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Choice {
    /// `wait`, `split` or `cancel`.
    pub choice: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it does and how.
    pub text: &'static str,
}

/// The choices for an order; none where it waits for nothing.
pub fn waiting_choices(order: &OrderRow, language: Language) -> Vec<Choice> {
    if order.waiting_since.is_none() {
        return Vec::new();
    }
    let is_whole = order.status == OrderStatus::WaitingForProducts.as_str();
    vec![wait(language), split(language), if is_whole { cancel(language) } else { cancel_part(language) }]
}

const fn wait(language: Language) -> Choice {
    let (title, text) = match language {
        English => (
            "Wait",
            "Nothing is to be done: once the goods have arrived, the warehouse sends the order by itself.",
        ),
        Finnish => {
            ("Odota", "Mitään ei tarvitse tehdä: kun tuotteet saapuvat, varasto lähettää tilauksen itse.")
        }
    };
    Choice { choice: "wait", title, text }
}

const fn split(language: Language) -> Choice {
    let (title, text) = match language {
        English => (
            "Split",
            "This is done in myOGO: open the order there and split it. What is in stock leaves, the rest waits. Silta \
             shows both parts, and completes the order in the shop with the last one.",
        ),
        Finnish => (
            "Jaa",
            "Tämä tehdään myOGOssa: avaa tilaus siellä ja jaa se. Varastossa olevat lähtevät, loput odottavat. Silta \
             näyttää molemmat osat ja käsittelee tilauksen kaupassa viimeisen lähdettyä.",
        ),
    };
    Choice { choice: "split", title, text }
}

const fn cancel(language: Language) -> Choice {
    let (title, text) = match language {
        English => (
            "Cancel",
            "Silta cancels the order at the warehouse, and nothing is sent. It stays open in the shop: refund it there.",
        ),
        Finnish => (
            "Peru",
            "Silta peruu tilauksen varastolla, eikä mitään lähetetä. Kaupassa se jää avoimeksi: palauta maksu siellä.",
        ),
    };
    Choice { choice: "cancel", title, text }
}

const fn cancel_part(language: Language) -> Choice {
    let (title, text) = match language {
        English => (
            "Cancel",
            "The other part has left, so this is done in myOGO: cancel the part that waits. Refund its goods in the \
             shop, and complete the order there.",
        ),
        Finnish => (
            "Peru",
            "Toinen osa on jo lähtenyt, joten tämä tehdään myOGOssa: peru odottava osa. Palauta sen maksu kaupassa ja \
             käsittele tilaus siellä.",
        ),
    };
    Choice { choice: "cancel", title, text }
}
