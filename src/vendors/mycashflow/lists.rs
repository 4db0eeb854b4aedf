//! The lists that other things point into by id: shipping methods, payment methods, suppliers. People change them a
//! few times a year, so they are believed for a while.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::{CallError, MyCashflow, PAGE_SIZE, wire};
use crate::{
    domain::{product::Supplier, shipping::ShippingMethod},
    vendors::http::single_flight::SingleFlight,
};

/// How long the lists are believed.
const CACHE_TTL: Duration = Duration::from_secs(600);

/// The lists as last read.
#[derive(Debug)]
pub(super) struct LookupCache {
    cash_on_delivery: Vec<String>,
    needs_suppliers: bool,
    needs_pictures: bool,
    cached: SingleFlight<(Instant, Arc<Lookups>)>,
}

impl LookupCache {
    pub(super) fn new(cash_on_delivery: Vec<String>, needs_suppliers: bool, needs_pictures: bool) -> Self {
        Self { cash_on_delivery, needs_suppliers, needs_pictures, cached: SingleFlight::new() }
    }

    /// What is read along with a product.
    pub(super) fn product_expand(&self) -> String {
        let pictures = if self.needs_pictures { ",image_links" } else { "" };
        format!("stock_item,variations,variations.stock_item{pictures}")
    }
}

/// What ids of the shop stand for.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    pub(super) shipping: HashMap<String, ShippingMethod>,
    /// Ids of the payment methods that the configuration calls cash on delivery.
    pub(super) cash_on_delivery: Vec<String>,
    /// Names of suppliers by id; `None` where the connection's rules do not ask whose goods things are.
    pub(super) suppliers: Option<HashMap<String, String>>,
}

impl Lookups {
    /// The lists as read; `cash_on_delivery` names payment methods by id, product code or name, in any case.
    pub fn new(shipping: Vec<wire::Method>, payment: Vec<wire::Method>, cash_on_delivery: &[String]) -> Self {
        let shipping = shipping.into_iter().filter_map(|method| {
            let wire::Method { id, name, product_code } = method;
            Some((id?, ShippingMethod { product_code, name }))
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

    /// Whose goods a product is, by its supplier's id.
    pub(super) fn supplier(&self, id: Option<String>) -> Supplier {
        match (&self.suppliers, id.filter(|id| id != "0")) {
            (None, _) => Supplier::NotRead,
            (Some(_), None) => Supplier::Nobody,
            (Some(names), Some(id)) => Supplier::Named { name: names.get(&id).cloned(), id },
        }
    }
}

/// Suppliers by product id.
pub type Suppliers = HashMap<String, Supplier>;

impl MyCashflow {
    /// What ids stand for. Reads, at most every ten minutes.
    pub(super) async fn lookups(&self) -> Result<Arc<Lookups>, CallError> {
        let ask = async |_| Ok((Instant::now(), Arc::new(self.fetch_lookups().await?)));
        let cached = self.lookup_cache.cached.get_or_fetch(|(at, _)| at.elapsed() < CACHE_TTL, ask).await;
        cached.map(|(_, lookups)| lookups)
    }

    async fn fetch_lookups(&self) -> Result<Lookups, CallError> {
        let LookupCache { cash_on_delivery, needs_suppliers, .. } = &*self.lookup_cache;
        let shipping = self.list_all("list_shipping_methods", "/api/v1/shipping-methods").await?;
        let payment = if cash_on_delivery.is_empty() {
            Vec::new()
        } else {
            self.list_all("list_payment_methods", "/api/v1/payment-methods").await?
        };
        let mut lookups = Lookups::new(shipping, payment, cash_on_delivery);
        if *needs_suppliers {
            let suppliers: Vec<wire::Method> = self.list_all("list_suppliers", "/api/v1/suppliers").await?;
            lookups.suppliers = Some(
                suppliers.into_iter().filter_map(|it| Some((it.id?, it.name.unwrap_or_default()))).collect(),
            );
        }
        Ok(lookups)
    }

    /// Every shipping method of the shop. Reads, at most every ten minutes.
    pub async fn shipping_methods(&self) -> Result<Vec<ShippingMethod>, CallError> {
        let mut methods: Vec<_> = self.lookups().await?.shipping.clone().into_iter().collect();
        methods.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(methods.into_iter().map(|(_, method)| method).collect())
    }

    /// The same for whoever needs only suppliers: without rules that ask for them nothing is read.
    pub(super) async fn supplier_lookups(&self) -> Result<Arc<Lookups>, CallError> {
        if self.lookup_cache.needs_suppliers { self.lookups().await } else { Ok(Arc::default()) }
    }

    /// Whose goods these products are; nothing where the connection's rules do not ask. A product that the shop does
    /// not know is not in the answer. Reads, a page of products a call.
    pub(super) async fn suppliers_of(
        &self,
        ids: HashSet<String>,
        lookups: &Lookups,
    ) -> Result<Suppliers, CallError> {
        let mut suppliers = Suppliers::new();
        if lookups.suppliers.is_none() {
            return Ok(suppliers);
        }
        let ids: Vec<_> = ids.into_iter().collect();
        for some in ids.chunks(PAGE_SIZE as usize) {
            let mut query = super::paged(1);
            query.push(("id", some.join(",")));
            let list: wire::List = self.read("list_products", "/api/v1/products".to_owned(), query).await?;
            let products = list.data.into_iter().filter_map(|item| serde_json::from_value(item).ok());
            suppliers.extend(products.filter_map(|product: wire::Product| {
                Some((product.id?, lookups.supplier(product.supplier_id)))
            }));
        }
        Ok(suppliers)
    }
}
