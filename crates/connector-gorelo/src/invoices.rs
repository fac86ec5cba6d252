//! Invoices. Gorelo gives amounts without their currency: that comes from the connection's settings, and
//! without it they are unknown.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Day, Text, Time},
    paging::List,
};

const LIST: List =
    List { path: &["invoices"], query: &[("SortBy", "createdOn"), ("SortOrder", "asc")], owned: loose::names_client };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    id: Text,
    number: Text,
    display_number: Text,
    client_id: Text,
    status: Code,
    invoice_date: Day,
    due_date: Day,
    total_tax: Text,
    total: Text,
    amount_due: Text,
    reference: Text,
    updated_on: Time,
}

#[async_trait]
impl Pull<Invoice> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let row: Row = loose::read("an invoice", raw)?;
        let id = row.id.own_id("an invoice")?;
        let (total, tax, due) = (row.total.amount(), row.total_tax.amount(), row.amount_due.amount());
        let money = |amount: Option<Exact>| Some(Money::new(amount?, &self.currency.as_ref()?.0));
        let record = Invoice {
            number: row.display_number.0.or(row.number.0).unwrap_or_else(|| id.clone()),
            reference: row.reference.0,
            paid: match row.status.word().as_str() {
                "paid" => Some(true),
                "draft" => Some(false),
                // A void invoice keeps what was due.
                "void" | "voided" => None,
                _ => due.map(|due| due.0.is_zero()),
            },
            status: row.status.name,
            issued_on: row.invoice_date.0,
            due_on: row.due_date.0,
            net: money(total.zip(tax).map(|(total, tax)| Exact(total.0 - tax.0))),
            tax: money(tax),
            total: money(total),
            balance: money(due),
            updated_at: row.updated_on.0,
            ..Invoice::default()
        };
        Ok(Item { id, entity: row.client_id.other_id(), record })
    }
}
