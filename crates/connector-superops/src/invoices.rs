//! Invoices. SuperOps gives a total without its currency: that comes from the connection's settings, and
//! without it the amount is unknown.

use async_trait::async_trait;
use integration::{Invoice, Item, Money, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Day, Maybe, Text, Tie},
    paging::{List, names_client},
};

const LIST: List = List {
    name: "getInvoiceList",
    input: "ListInfoInput!",
    items: "invoices",
    fields: "invoiceId displayId client invoiceDate dueDate statusEnum totalAmount paymentDate",
    sort: None,
    owned: names_client,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    invoice_id: Text,
    display_id: Text,
    client: Maybe<Tie>,
    invoice_date: Day,
    due_date: Day,
    status_enum: Text,
    total_amount: Text,
    payment_date: Day,
}

#[async_trait]
impl Pull<Invoice> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let row: Row = loose::read("an invoice", raw)?;
        let id = row.invoice_id.own_id("an invoice")?;
        let money = |amount| self.currency.as_ref().map(|currency| Money::new(amount, &currency.0));
        let record = Invoice {
            number: row.display_id.0.unwrap_or_else(|| id.clone()),
            paid: match row.status_enum.0.as_deref() {
                Some("PAID") => Some(true),
                Some("DRAFT" | "APPROVED" | "OVERDUE") => Some(false),
                _ => None,
            },
            status: row.status_enum.0,
            issued_on: row.invoice_date.0,
            due_on: row.due_date.0,
            paid_on: row.payment_date.0,
            total: row.total_amount.amount().and_then(money),
            ..Invoice::default()
        };
        Ok(Item { id, entity: row.client.id(), record })
    }
}
