//! The two outside services.

/// An outside service.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[strum(serialize_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    /// The web shop.
    MyCashflow,
    /// The warehouse.
    Ogoship,
}

impl Vendor {
    /// The spelling in labels, rows and URLs.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
