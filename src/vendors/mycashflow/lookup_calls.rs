//! Calls that fetch the shop's lookups.

use std::{collections::HashSet, sync::Arc};

use tokio::time::Instant;

use super::{
    client::{MyCashflow, PAGE_SIZE, paged},
    lookups::{CACHE_TTL, LookupCache, Lookups, MissRead, Reference, Suppliers, suppliers_in},
    wire,
};
use crate::{
    domain::shipping::ShippingMethod,
    vendors::http::error::{CallError, Failure},
};

impl MyCashflow {
    /// The lookups. Reads, at most every ten minutes.
    pub(super) async fn lookups(&self) -> Result<Arc<Lookups>, CallError> {
        let ask = async |_| Ok((Instant::now(), Arc::new(self.fetch_lookups().await?)));
        let cached = self.lookup_cache.cached.get_or_fetch(|(at, _)| at.elapsed() < CACHE_TTL, ask).await;
        cached.map(|(_, lookups)| lookups)
    }

    /// Lookups that have all of these, or were read after them. Reads only on a miss, and within bounds.
    pub(super) async fn lookups_with(
        &self,
        lookups: Arc<Lookups>,
        references: &[Reference],
    ) -> Result<Arc<Lookups>, CallError> {
        let cache = &self.lookup_cache;
        if cache.missing(&lookups, references).is_empty() {
            return Ok(lookups);
        }
        let asked_at = Instant::now();
        let is_enough = |(at, cached): &(Instant, Arc<Lookups>)| {
            *at >= asked_at || cache.missing(cached, references).is_empty()
        };
        let mut refused = None;
        let ask = async |old: Option<(Instant, Arc<Lookups>)>| match (cache.begin_miss_read(), old) {
            (MissRead::After(wait), Some(old)) => {
                refused = Some(wait);
                Ok(old)
            }
            (MissRead::Allowed | MissRead::After(_), _) => {
                Ok((Instant::now(), Arc::new(self.fetch_lookups().await?)))
            }
        };
        let (_, fresh) = cache.cached.get_or_fetch(is_enough, ask).await?;
        if refused.is_some() {
            let error = self.http.call_error("list_shipping_methods", Failure::RateLimited);
            return Err(CallError { retry_after: refused, ..error });
        }
        cache.confirm_missing(cache.missing(&fresh, references));
        Ok(fresh)
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

    /// Lists the shop's shipping methods. Reads, at most every ten minutes.
    pub async fn shipping_methods(&self) -> Result<Vec<ShippingMethod>, CallError> {
        let mut methods: Vec<_> = self.lookups().await?.shipping.clone().into_iter().collect();
        methods.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Ok(methods.into_iter().map(|(_, method)| method).collect())
    }

    /// The lookups where only suppliers are needed: nothing is read where the rules do not depend on suppliers.
    pub(super) async fn supplier_lookups(&self) -> Result<Arc<Lookups>, CallError> {
        if self.lookup_cache.needs_suppliers { self.lookups().await } else { Ok(Arc::default()) }
    }

    /// The suppliers of these products; empty where the rules do not depend on suppliers. Products that the
    /// shop does not have are left out. Reads a page of products a call.
    pub(super) async fn suppliers_of(
        &self,
        ids: HashSet<String>,
        lookups: &Arc<Lookups>,
    ) -> Result<Suppliers, CallError> {
        let mut suppliers = Suppliers::new();
        if lookups.suppliers.is_none() {
            return Ok(suppliers);
        }
        let ids: Vec<_> = ids.into_iter().collect();
        for some in ids.chunks(PAGE_SIZE as usize) {
            let mut query = paged(1);
            query.push(("id", some.join(",")));
            let list: wire::List = self.read("list_products", "/api/v1/products".to_owned(), query).await?;
            let products = list.data.into_iter().filter_map(|item| serde_json::from_value(item).ok());
            let products: Vec<wire::Product> = products.collect();
            let lookups = self.lookups_with(lookups.clone(), &suppliers_in(&products)).await?;
            suppliers.extend(
                products
                    .into_iter()
                    .filter_map(|product| Some((product.id?, lookups.supplier_of(product.supplier_id)))),
            );
        }
        Ok(suppliers)
    }
}
