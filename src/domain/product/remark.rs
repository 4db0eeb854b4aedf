//! What the warehouse asks of a product besides a usable code. A remark is shown to the merchant and stops nothing.

use std::fmt;

use serde::Serialize;

/// What the warehouse asks of a product, and this one lacks (docs/contract.md §2.9).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::EnumString, strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Remark {
    /// It has no EAN. All warehouses want one.
    EanMissing,
    /// Its code has `/` or `\`, which are not allowed in codes there. The warehouse may refuse a new product of it.
    CodeSlash,
}

impl Remark {
    /// What is to be said of a product.
    pub fn of(code: &str, has_ean: bool) -> Vec<Self> {
        let missing = (!has_ean).then_some(Self::EanMissing);
        missing.into_iter().chain(code.contains(['/', '\\']).then_some(Self::CodeSlash)).collect()
    }

    /// The word in answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// An item with its remarks: a line of the list that the API, the dashboard and the doctor show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemarkedItem {
    /// The item, as `product:77/5`.
    pub item: String,
    /// Its code as the shop spells it.
    pub code: String,
    /// Its name.
    pub name: String,
    /// At least one.
    pub remarks: Vec<Remark>,
}

impl fmt::Display for RemarkedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { item, code, name, remarks } = self;
        let remarks: Vec<_> = remarks.iter().map(|remark| remark.as_str()).collect();
        write!(f, "{name:?} ({item}, {code:?}): {}", remarks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_ean_and_slashes_are_remarked() {
        assert_eq!(Remark::of("CUP", true), []);
        assert_eq!(Remark::of("CUP", false), [Remark::EanMissing]);
        assert_eq!(Remark::of("CUP/1", true), [Remark::CodeSlash]);
        assert_eq!(Remark::of("CUP\\1", false), [Remark::EanMissing, Remark::CodeSlash]);
    }
}
