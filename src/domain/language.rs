//! The languages of the dashboard and of messages.

/// A language of the dashboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Finnish.
    Finnish,
}

impl Language {
    /// Both.
    pub const ALL: [Self; 2] = [Self::English, Self::Finnish];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Finnish => "fi",
        }
    }

    /// Its own name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Finnish => "Suomi",
        }
    }

    /// Parses a code such as `fi` or `fi-FI`.
    pub fn parse(code: &str) -> Option<Self> {
        let primary = code.trim().split('-').next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }
}
