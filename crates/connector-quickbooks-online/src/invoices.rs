//! Invoices to customers.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{QuickbooksOnline, listing::Source, settings::Currency, wire};

const INVOICES: Source = Source { entity: "Invoice", rest: " ORDERBY Id" };

#[async_trait]
impl Pull<Invoice> for QuickbooksOnline {
    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&INVOICES, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("an invoice", raw)?;
        let id = invoice.id.0.clone().ok_or("an invoice of QuickBooks Online has no id")?;
        let sums = Sums::of(&invoice, self.currency.as_ref());
        let (paid, status) = state(&invoice);
        let customer = invoice.customer_ref.0.and_then(|customer| customer.value.0);
        let record = Invoice {
            // Companies may leave their invoices without numbers.
            number: invoice.doc_number.0.unwrap_or_else(|| id.clone()),
            status: status.map(str::to_owned),
            paid,
            issued_on: invoice.txn_date.0.map(|day| day.0),
            due_on: invoice.due_date.0.map(|day| day.0),
            net: sums.net,
            tax: sums.tax,
            total: sums.total,
            balance: sums.balance,
            updated_at: invoice.meta_data.0.and_then(|written| written.last_updated_time.0),
            ..Invoice::default()
        };
        Ok(Item { id, entity: Some(customer.ok_or("an invoice of QuickBooks Online names no customer")?), record })
    }
}

/// Whether it is paid, and a word for that: the vendor has none. Nobody has paid what was made void.
fn state(invoice: &wire::Invoice) -> (Option<bool>, Option<&'static str>) {
    let zero = |amount: Exact| amount.0.is_zero();
    let note = invoice.private_note.0.as_deref().unwrap_or_default().to_ascii_lowercase();
    match (invoice.balance, invoice.total_amt) {
        (_, Some(total)) if zero(total) && note.starts_with("void") => (None, Some("Voided")),
        (Some(balance), _) if zero(balance) => (Some(true), Some("Paid")),
        (Some(balance), Some(total)) if balance < total => (Some(false), Some("Partially paid")),
        (Some(_), _) => (Some(false), Some("Open")),
        (None, _) => (None, None),
    }
}

/// The sums of an invoice or a template.
pub(crate) struct Sums {
    pub net: Option<Money>,
    pub tax: Option<Money>,
    pub total: Option<Money>,
    pub balance: Option<Money>,
}

impl Sums {
    /// Without a currency an amount is not money.
    pub(crate) fn of(invoice: &wire::Invoice, usual: Option<&Currency>) -> Self {
        let named = invoice.currency_ref.0.as_ref().and_then(|currency| currency.value.0.as_deref());
        let currency = named.or(usual.map(|currency| currency.0.as_str()));
        let money = |amount: Option<Exact>| Some(Money::new(amount?, currency?));
        let (total, tax) = (invoice.total_amt, invoice.txn_tax_detail.as_ref().and_then(|detail| detail.total_tax));
        let net = total.zip(tax).and_then(|(total, tax)| total.0.checked_sub(tax.0)).map(Exact);
        Self { net: money(net), tax: money(tax), total: money(total), balance: money(invoice.balance) }
    }
}
