//! Texts in both languages, side by side: a set of them is a struct with a field for each.

/// Defines a set of texts: the name of its struct, the function that gives it in a language, and the texts. A text that is shown
/// with a number holds its singular and its plural, separated by `|`: `counted` picks one.
macro_rules! texts {
    ($set:ident, $function:ident: $($name:ident: $english:literal / $finnish:literal),+ $(,)?) => {
        /// Texts in one language.
        #[expect(missing_docs, reason = "each text says what it is")]
        pub struct $set { $(pub $name: &'static str),+ }

        /// The texts in a language.
        pub const fn $function(language: $crate::domain::language::Language) -> &'static $set {
            static ENGLISH: $set = $set { $($name: $english),+ };
            static FINNISH: $set = $set { $($name: $finnish),+ };
            match language {
                $crate::domain::language::Language::English => &ENGLISH,
                $crate::domain::language::Language::Finnish => &FINNISH,
            }
        }
    };
}
pub(super) use texts;
