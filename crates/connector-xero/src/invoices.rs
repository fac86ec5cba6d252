//! Invoices to customers. Bills from suppliers are not asked for.

use async_trait::async_trait;
use integration::{Invoice, Item, Page, Position, Pull, Result};

use crate::{
    Xero,
    wire::{self, money},
};

/// In every state but DELETED: that is a draft that was thrown away, and Xero's own pages do not show it either.
const LISTED: &str = "DRAFT,SUBMITTED,AUTHORISED,PAID,VOIDED";

#[async_trait]
impl Pull<Invoice> for Xero {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let with = [("where", r#"Type=="ACCREC""#), ("Statuses", LISTED), ("order", "InvoiceID ASC")];
        self.api.list("Invoices", &with, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("an invoice", raw)?;
        let id = invoice.id.0.ok_or("an invoice of Xero has no id")?;
        let contact =
            invoice.contact.0.and_then(|contact| contact.id.0).ok_or("an invoice of Xero names no contact")?;
        let currency = &invoice.currency_code;
        let paid = match invoice.status.0.as_deref() {
            Some("PAID") => Some(true),
            Some("DRAFT" | "SUBMITTED" | "AUTHORISED") => Some(false),
            _ => None,
        };
        let record = Invoice {
            cost: false,
            // A draft may have none yet.
            number: invoice.invoice_number.0.unwrap_or_else(|| id.clone()),
            reference: invoice.reference.0,
            paid,
            status: invoice.status.0,
            issued_on: invoice.date_string.0.or(invoice.date.0).map(|day| day.0),
            due_on: invoice.due_date_string.0.or(invoice.due_date.0).map(|day| day.0),
            paid_on: invoice.fully_paid_on_date.0.map(|day| day.0),
            net: money(invoice.sub_total, currency),
            tax: money(invoice.total_tax, currency),
            total: money(invoice.total, currency),
            balance: money(invoice.amount_due, currency),
            url: None,
            updated_at: invoice.updated.0.map(|at| at.0),
        };
        Ok(Item { id, entity: Some(contact), record })
    }
}
