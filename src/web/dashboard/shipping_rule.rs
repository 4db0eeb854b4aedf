//! The form of a shipping rule, on the pages of a cause and of connections.

use maud::{Markup, html};

use super::{error::PageError, form::OperatorForm, user::User, widgets::field};
use crate::domain::shipping::ShippingRule;

/// The fields of a shipping rule.
pub(super) fn fields(user: &User, method: &str) -> Markup {
    let words = user.words();
    html! {
        (field("pattern", words.pattern, method))
        (field("code", words.warehouse_code, ""))
        label.tick { input type="checkbox" name="pickup" value="yes"; " " (words.pickup) }
    }
}

/// The shipping rule of a form.
pub(super) fn parse(form: &OperatorForm) -> Result<ShippingRule, PageError> {
    let text = |name| form.require(name).map(ToOwned::to_owned);
    Ok(ShippingRule {
        pattern: text("pattern")?,
        code: text("code")?,
        pickup: form.field("pickup").is_some(),
    })
}
