//! Invoices. Amounts are texts of digits, and their currency is the account's: nothing names it.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{Syncro, wire};

#[async_trait]
impl Pull<Invoice> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("invoices", "invoices", &[], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("an invoice", raw)?;
        let customer = invoice.customer_id.ok_or("an invoice of Syncro names no customer")?;
        let money = |amount: Option<Exact>| Some(Money::new(amount?, &self.currency.as_ref()?.0));
        let record = Invoice {
            number: invoice.number.unwrap_or_else(|| invoice.id.clone()),
            reference: invoice.po_number,
            paid: invoice.is_paid,
            issued_on: invoice.date,
            due_on: invoice.due_date,
            net: money(invoice.subtotal),
            tax: money(invoice.tax),
            total: money(invoice.total),
            url: Some(self.api.page_of("invoices", &invoice.id)),
            updated_at: invoice.updated_at,
            ..Invoice::default()
        };
        Ok(Item { id: invoice.id, entity: Some(customer), record })
    }
}
