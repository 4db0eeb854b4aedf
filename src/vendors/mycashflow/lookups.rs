//! Short lists that other things refer to by id: shipping methods, payment methods, suppliers. People change
//! them a few times a year, so they are cached.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::wire;
use crate::{
    domain::{product::Supplier, shipping::ShippingMethod},
    vendors::http::single_flight::SingleFlight,
};

/// How long lookups are cached.
pub(super) const CACHE_TTL: Duration = Duration::from_secs(600);

/// Caches the lookups as last read.
#[derive(Debug)]
pub(super) struct LookupCache {
    pub(super) cash_on_delivery: Vec<String>,
    pub(super) needs_suppliers: bool,
    needs_pictures: bool,
    pub(super) cached: SingleFlight<(Instant, Arc<Lookups>)>,
}

impl LookupCache {
    pub(super) fn new(cash_on_delivery: Vec<String>, needs_suppliers: bool, needs_pictures: bool) -> Self {
        Self { cash_on_delivery, needs_suppliers, needs_pictures, cached: SingleFlight::new() }
    }

    /// The `expand` parameter for reading products.
    pub(super) fn product_expand(&self) -> String {
        let pictures = if self.needs_pictures { ",image_links" } else { "" };
        format!("stock_item,variations,variations.stock_item{pictures}")
    }
}

/// Maps ids of the shop to what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    pub(super) shipping: HashMap<String, ShippingMethod>,
    /// Ids of the payment methods that the configuration calls cash on delivery.
    pub(super) cash_on_delivery: Vec<String>,
    /// Names of suppliers by id; `None` where the connection's rules do not depend on suppliers.
    pub(super) suppliers: Option<HashMap<String, String>>,
}

impl Lookups {
    /// Builds lookups from the lists. `cash_on_delivery` names payment methods by id, product code or name, in
    /// any case.
    pub fn new(shipping: Vec<wire::Method>, payment: Vec<wire::Method>, cash_on_delivery: &[String]) -> Self {
        let shipping = shipping.into_iter().filter_map(|method| {
            let wire::Method { id, name, product_code } = method;
            Some((id.clone()?, ShippingMethod { id, product_code, name }))
        });
        let is_cash_on_delivery = |method: &wire::Method| {
            let names = [&method.id, &method.product_code, &method.name];
            names
                .into_iter()
                .flatten()
                .any(|name| cash_on_delivery.iter().any(|cod| cod.to_lowercase() == name.to_lowercase()))
        };
        let cash_on_delivery =
            payment.into_iter().filter(is_cash_on_delivery).filter_map(|method| method.id).collect();
        Self { shipping: shipping.collect(), cash_on_delivery, suppliers: None }
    }

    /// The supplier with this id.
    pub(super) fn supplier(&self, id: Option<String>) -> Supplier {
        match (&self.suppliers, id.filter(|id| id != "0")) {
            (None, _) => Supplier::NotRead,
            (Some(_), None) => Supplier::Unnamed,
            (Some(names), Some(id)) => Supplier::Named { name: names.get(&id).cloned(), id },
        }
    }
}

/// Suppliers by product id.
pub type Suppliers = HashMap<String, Supplier>;
