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
        (SubjectKind::Order, Manual) => {
            ("Orders wait until you transfer them", "Tilaukset odottavat, että siirrät ne varastolle")
        }
        (SubjectKind::Order, Off) => (
            "Orders are switched off, so nothing is written for them in the shop or at the warehouse",
            "Tilaukset on kytketty pois, joten niistä ei kirjoiteta mitään kauppaan eikä varastolle",
        ),
        (SubjectKind::Product, Automatic) => {
            ("Products are uploaded automatically", "Tuotteet viedään varastolle automaattisesti")
        }
        (SubjectKind::Product, Manual) => {
            ("Products wait until you upload them", "Tuotteet odottavat, että viet ne varastolle")
        }
        (SubjectKind::Product, Off) => (
            "The upload of products is switched off, so none is created or changed at the warehouse",
            "Tuotteiden vienti on kytketty pois, joten varastolla ei luoda eikä muuteta mitään",
        ),
        (SubjectKind::Stock, Automatic) => {
            ("Stock figures are written automatically", "Varastosaldot kirjoitetaan automaattisesti")
        }
        (SubjectKind::Stock, Manual) => (
            "Stock figures wait until you write them to the shop",
            "Varastosaldot odottavat, että kirjoitat ne kauppaan",
        ),
        (SubjectKind::Stock, Off) => (
            "Stock updates are switched off, so no figure is written to the shop",
            "Saldopäivitys on kytketty pois, joten kauppaan ei kirjoiteta mitään",
        ),
    };
    match language {
        Language::English => english,
        Language::Finnish => finnish,
    }
}
