//! Subscriptions: what each company buys.

use async_trait::async_trait;
use integration::{Item, Money, Page, Position, Pull, Result, Subscription};

use crate::{
    Pax8,
    paging::SIZE,
    wire::{self, said},
};

#[async_trait]
impl Pull<Subscription> for Pax8 {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // New ones come at the end, so that those already listed do not move.
        self.api.list(&["subscriptions"], &[("sort", "createdDate,asc")], SIZE, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Subscription>, String> {
        let wire: wire::Subscription = wire::read("subscription", raw)?;
        let product_id = said(wire.product_id);
        // Old records have no name. Their product would have to be asked for one by one.
        let product = said(wire.product_name).unwrap_or_else(|| match &product_id {
            Some(id) => format!("Product {id}"),
            None => format!("Subscription {}", wire.id),
        });
        // An amount without its currency is not money.
        let currency = said(wire.currency_code);
        let money = |amount| Some(Money::new(amount?, currency.as_deref()?));
        let (commitment_term, commitment_ends_at) =
            wire.commitment_term.map(|commitment| (said(commitment.term), commitment.end_date)).unwrap_or_default();
        let record = Subscription {
            product,
            product_id,
            quantity: wire.quantity,
            price: money(wire.price),
            cost: money(wire.partner_cost),
            status: wire.status.trim().to_owned(),
            billing_term: said(wire.billing_term),
            commitment_term,
            commitment_ends_at,
            starts_at: wire.start_date,
            ends_at: wire.end_date,
            updated_at: wire.updated_date,
        };
        Ok(Item { id: wire.id, entity: Some(wire.company_id), record })
    }
}
