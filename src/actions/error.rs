//! Each state that does not allow what was asked, in both languages.

use crate::domain::language::Language;

macro_rules! wrong_states {
    ($($(#[$doc:meta])* $name:ident: $english:literal / $finnish:literal),+ $(,)?) => {
        /// Why the state of a thing does not allow what was asked, or which would.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum WrongState { $($(#[$doc])* $name),+ }

        impl WrongState {
            /// In words.
            pub const fn words(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english, (Self::$name, Language::Finnish) => $finnish),+
                }
            }
        }
    };
}

wrong_states! {
    /// Of a connection.
    PausedAlready: "the connection is paused already" / "yhteys on jo tauolla",
    /// Of a connection.
    RunsAlready: "the connection is neither paused nor held" / "yhteys ei ole tauolla eikä pysäytetty",
    /// Of a connection.
    NotConfiguredHere: "the connection is not configured here" / "yhteyttä ei ole tässä määritelty",
    /// Of a delivery.
    NotWaiting: "only a delivery that waits (pending or in_doubt) can be cancelled" /
        "vain odottavan tai epävarman toimituksen voi perua",
    /// Of a delivery.
    NotInDoubt: "only a delivery in doubt can be resolved" / "vain epävarman toimituksen voi kuitata",
    /// Of a delivery.
    StillOpen: "the delivery is still open: it will be tried by itself" / "toimitus on vielä avoinna: sitä yritetään itsestään",
    /// Of an event.
    NoSubject: "the event has no subject that Silta can tell: there is nothing to look at" /
        "tapahtumasta ei selviä, mitä se koskee: ei ole mitään katsottavaa",
    /// Of a replay.
    CalledOffAlready: "the replay was called off before" / "toisto on jo peruttu",
    /// Of a replay.
    NothingTicked: "nothing was ticked" / "mitään ei ollut valittu",
    /// Of a comparison.
    NothingToApprove: "nothing of it waits for approval, or a comparison of its kind is running" /
        "mikään siitä ei odota hyväksyntää, tai samanlainen vertailu on käynnissä",
    /// Of an order to be erased.
    OrderStillOpen: "a delivery of the order is still open: let it end, or cancel it, then erase" /
        "tilauksen toimitus on vielä avoinna: anna sen päättyä tai peru se, ja poista sitten",
    /// Of an order.
    PlacedAlready: "the order stands at the warehouse already" / "tilaus on jo varastolla",
    /// Of an order.
    ShippedAlready: "the warehouse has shipped the order already" / "varasto on jo lähettänyt tilauksen",
    /// Of an order.
    OrderCancelledAlready: "the order is cancelled already" / "tilaus on jo peruttu",
    /// Of a shipping rule.
    RuleLength: "a shipping method and a code have 1 to 200 characters" /
        "toimitustavassa ja koodissa on 1–200 merkkiä",
    /// Of a shipping rule.
    RuleForAll: "a rule for every method would hide each one that is forgotten" /
        "sääntö kaikille toimitustavoille peittäisi jokaisen, joka on unohtunut",
}
