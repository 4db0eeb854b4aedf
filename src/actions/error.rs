//! Each state that does not allow what was asked, in both languages.

use crate::domain::language::Language;

macro_rules! conflicts {
    ($($(#[$doc:meta])* $name:ident: $english:literal / $finnish:literal),+ $(,)?) => {
        /// Why the state of a thing does not allow what was asked, or which would.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ConflictError { $($(#[$doc])* $name),+ }

        impl ConflictError {
            /// In words.
            pub const fn words(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $english, (Self::$name, Language::Finnish) => $finnish),+
                }
            }
        }
    };
}

conflicts! {
    /// Of a connection.
    AlreadyPaused: "the connection is paused already" / "yhteys on jo tauolla",
    /// Of a connection.
    AlreadyRunning: "the connection is neither paused nor held" / "yhteys ei ole tauolla eikä pysäytetty",
    /// Of a connection.
    NotConfiguredHere: "the connection is not configured here" / "yhteyttä ei ole tässä määritelty",
    /// Of a task.
    NotCancellable: "only a task that waits (pending or in_doubt) can be cancelled" /
        "vain odottavan tai epävarman toimituksen voi perua",
    /// Of a task.
    NotInDoubt: "only a task in doubt can be resolved" / "vain epävarman toimituksen voi kuitata",
    /// Of a task.
    TaskStillOpen: "the task is still open: it will be tried by itself" / "toimitus on vielä avoinna: sitä yritetään itsestään",
    /// Of an event.
    NoSubject: "the event has no subject that Silta can tell: there is nothing to look at" /
        "tapahtumasta ei selviä, mitä se koskee: ei ole mitään katsottavaa",
    /// Of a replay.
    ReplayAlreadyCancelled: "the replay was called off before" / "toisto on jo peruttu",
    /// Of a replay.
    NothingSelected: "nothing was ticked" / "mitään ei ollut valittu",
    /// Of a sync.
    NothingToApprove: "nothing of it waits for approval, or a sync of its kind is running" /
        "mikään siitä ei odota hyväksyntää, tai samanlainen vertailu on käynnissä",
    /// Of an order to be erased.
    OrderHasOpenTask: "a task of the order is still open: let it end, or cancel it, then erase" /
        "tilauksen toimitus on vielä avoinna: anna sen päättyä tai peru se, ja poista sitten",
    /// Of an order.
    AlreadyPlaced: "the order stands at the warehouse already" / "tilaus on jo varastolla",
    /// Of an order.
    AlreadyShipped: "the warehouse has shipped the order already" / "varasto on jo lähettänyt tilauksen",
    /// Of an order.
    OrderAlreadyCancelled: "the order is cancelled already" / "tilaus on jo peruttu",
    /// Of a shipping rule.
    RuleLength: "a shipping method and a code have 1 to 200 characters" /
        "toimitustavassa ja koodissa on 1–200 merkkiä",
    /// Of a shipping rule.
    RuleMatchesAll: "a rule for every method would hide each one that is forgotten" /
        "sääntö kaikille toimitustavoille peittäisi jokaisen, joka on unohtunut",
}
