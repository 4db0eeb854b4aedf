//! What an event concerns: the unit of ordering, with at most one open task.

use std::{fmt, str::FromStr};

/// The kinds of subjects; each has one flow.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
    strum::VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum SubjectKind {
    /// An order of the shop, by its number.
    Order,
    /// A stock figure, by its product code.
    Stock,
    /// A product with its variations, by its id in the shop.
    Product,
}

impl SubjectKind {
    /// Every value.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;
    /// The spelling of every value.
    pub const NAMES: &[&str] = <Self as strum::VariantNames>::VARIANTS;

    /// The spelling in rows, labels and URLs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A text that is not a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a subject: expected order:ID, stock:CODE or product:ID")]
pub struct ParseSubjectError;

/// A subject such as `order:1042`: one thing that may be out of sync between the vendors.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Which flow syncs it.
    pub kind: SubjectKind,
    /// The shop's order number or product id, or a product code; never empty.
    pub key: String,
}

impl Subject {
    /// The subject of an order number.
    pub fn order(id: impl Into<String>) -> Self {
        Self { kind: SubjectKind::Order, key: id.into() }
    }

    /// The subject of a product code's stock.
    pub fn stock(code: impl Into<String>) -> Self {
        Self { kind: SubjectKind::Stock, key: code.into() }
    }

    /// The subject of a product id.
    pub fn product(id: impl Into<String>) -> Self {
        Self { kind: SubjectKind::Product, key: id.into() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.key)
    }
}

impl FromStr for Subject {
    type Err = ParseSubjectError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((kind, key)) if !key.is_empty() => {
                Ok(Self { kind: kind.parse().map_err(|_| ParseSubjectError)?, key: key.to_owned() })
            }
            _ => Err(ParseSubjectError),
        }
    }
}

/// Which of several due tasks is claimed first. Lower is sooner. One that is passed over for longer than its priority's
/// [`longest_wait`](Self::longest_wait) rises above all, a few at a time, so that nothing waits for ever and a large backlog still
/// delays no live order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(pub i16);

impl Priority {
    /// What polls and replays found: not before live events.
    pub const BACKGROUND: Self = Self(3);

    /// How much longer a task waits before it rises than one of the next higher priority.
    pub const STEP: chrono::Duration = chrono::Duration::seconds(10);

    /// How long a task of this priority is passed over before it rises.
    pub fn longest_wait(self) -> chrono::Duration {
        Self::STEP * i32::from(self.0)
    }

    /// The priority of live events of a kind of subject.
    pub const fn live(kind: SubjectKind) -> Self {
        match kind {
            SubjectKind::Order => Self(0),
            SubjectKind::Stock => Self(1),
            SubjectKind::Product => Self(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_with_a_colon_in_its_key_survives_its_text() {
        let subject = Subject::stock("A:B-1");
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }

    #[test]
    fn text_without_kind_or_key_is_no_subject() {
        for text in ["", "order", "order:", "parcel:1", ":1"] {
            assert_eq!(text.parse::<Subject>(), Err(ParseSubjectError), "{text}");
        }
    }
}
