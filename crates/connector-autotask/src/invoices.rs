//! Invoices. They carry no currency: it is a setting of the connection.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{
    Autotask,
    queries::{Shape, of_clients},
    wire::{self, instant, said},
};

const SHAPE: Shape = Shape {
    entity: "Invoices",
    fields: &[
        "id",
        "companyID",
        "invoiceNumber",
        "orderNumber",
        "invoiceDateTime",
        "dueDate",
        "paidDate",
        "isVoided",
        "invoiceTotal",
        "totalTaxValue",
    ],
    picked: &[],
};

#[async_trait]
impl Pull<Invoice> for Autotask {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(SHAPE, of_clients(), at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("invoice", raw)?;
        let money = |amount: Option<Exact>| Some(Money::new(amount?, self.currency.as_deref()?));
        let day = |text: Option<String>| instant(text.as_deref()).map(|at| at.date_naive());
        let paid_on = day(invoice.paid_date);
        let record = Invoice {
            cost: false,
            number: said(invoice.invoice_number).unwrap_or_else(|| invoice.id.0.clone()),
            reference: said(invoice.order_number),
            status: invoice.is_voided.filter(|flag| flag.0).map(|_| "Voided".to_owned()),
            // Many MSPs note payments elsewhere: no day of payment does not mean unpaid.
            paid: paid_on.map(|_| true),
            issued_on: day(invoice.invoice_date_time),
            due_on: day(invoice.due_date),
            paid_on,
            net: None,
            tax: money(invoice.total_tax_value),
            total: money(invoice.invoice_total),
            balance: None,
            url: None,
            updated_at: None,
        };
        Ok(Item { id: invoice.id.0, entity: wire::owner("invoice", invoice.company)?, record })
    }
}
