//! What a switch that is not automatic means, in both languages.

use crate::domain::{
    event::subject::SubjectKind,
    language::Language,
    switch::Switch::{self, Automatic, Manual, Off},
};

/// What a connection does and does not do for a kind of subject.
pub const fn switch_text(kind: SubjectKind, switch: Switch, language: Language) -> &'static str {
    let (english, finnish) = match (kind, switch) {
        (SubjectKind::Order, Automatic) => {
            ("Orders are sent automatically", "Tilaukset lähtevät automaattisesti")
        }
        (SubjectKind::Order, Manual) => (
            "Orders wait until you transfer them (orders.transfer = \"manual\")",
            "Tilaukset odottavat, että siirrät ne (orders.transfer = \"manual\")",
        ),
        (SubjectKind::Order, Off) => (
            "Nothing is written for orders at either vendor (orders.transfer = \"off\")",
            "Tilauksista ei kirjoiteta mitään kumpaankaan järjestelmään (orders.transfer = \"off\")",
        ),
        (SubjectKind::Product, Automatic) => {
            ("Products are uploaded automatically", "Tuotteet viedään varastolle automaattisesti")
        }
        (SubjectKind::Product, Manual) => (
            "Products wait until you upload them (products.upload = \"manual\")",
            "Tuotteet odottavat, että viet ne varastolle (products.upload = \"manual\")",
        ),
        (SubjectKind::Product, Off) => (
            "No product is created or changed at the warehouse (products.upload = \"off\")",
            "Tuotteita ei luoda eikä muuteta varastolla (products.upload = \"off\")",
        ),
        (SubjectKind::Stock, Automatic) => {
            ("Stock figures are written automatically", "Varastosaldot kirjoitetaan automaattisesti")
        }
        (SubjectKind::Stock, Manual) => (
            "Stock figures wait until you write them to the shop (stock.update = \"manual\")",
            "Varastosaldot odottavat, että kirjoitat ne kauppaan (stock.update = \"manual\")",
        ),
        (SubjectKind::Stock, Off) => (
            "No stock figure is written to the shop (stock.update = \"off\")",
            "Varastosaldoja ei kirjoiteta kauppaan (stock.update = \"off\")",
        ),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}
