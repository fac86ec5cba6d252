//! Invoices to clients.

use async_trait::async_trait;
use integration::{Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{Workflowmax, wire};

#[async_trait]
impl Pull<Invoice> for Workflowmax {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let listed = self.api.list("invoices", &[], at.cursor).await?;
        Ok(Page { records: listed.rows, next: listed.next, total: listed.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("an invoice", raw)?;
        let client = invoice.client.ok_or("an invoice of WorkflowMax names no client")?;
        let paid = match (invoice.paid_date, invoice.status.as_deref()) {
            (Some(_), _) | (None, Some("Paid")) => Some(true),
            (None, Some("Draft" | "Approved")) => Some(false),
            (None, _) => None,
        };
        let record = Invoice {
            number: invoice.invoice_number.unwrap_or_else(|| invoice.uuid.clone()),
            paid,
            status: invoice.status,
            issued_on: invoice.invoice_date,
            due_on: invoice.due_date,
            paid_on: invoice.paid_date,
            // An amount without a currency is not money.
            total: invoice.total.zip(self.currency.as_ref()).map(|(amount, currency)| Money::new(amount, &currency.0)),
            updated_at: invoice.updated_at,
            ..Invoice::default()
        };
        Ok(Item { id: invoice.uuid, entity: Some(client), record })
    }
}
