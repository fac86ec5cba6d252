//! Invoices.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{Halopsa, settings::Currency, wire};

#[async_trait]
impl Pull<Invoice> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("Invoice", "invoices", &[], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("an invoice", raw)?;
        let client = invoice.client_id.ok_or("an invoice of HaloPSA names no client")?;
        // A sign such as £ is no currency, and an amount without a currency is not money.
        let named = [&invoice.currency_code_name, &invoice.currency].into_iter().flatten();
        let currency = named.filter_map(|text| Currency::of(text)).next().or_else(|| self.settings.currency.clone());
        let money = |amount: Option<Exact>| Some(Money::new(amount?, &currency.as_ref()?.0));
        let record = Invoice {
            cost: false,
            number: invoice.invoicenumber.or(invoice.thirdpartyinvoicenumber).unwrap_or_else(|| invoice.id.clone()),
            reference: invoice.cust_order_number.or(invoice.reference),
            status: match (invoice.voided, invoice.posted) {
                (Some(true), _) => Some("Voided".to_owned()),
                (_, Some(true)) => Some("Posted".to_owned()),
                (_, Some(false)) => Some("Not posted".to_owned()),
                (_, None) => None,
            },
            paid: match (invoice.datepaid, invoice.amountdue) {
                (Some(_), _) => Some(true),
                // Nothing due may also mean nothing posted: without a day of payment that is not known.
                (None, Some(due)) if !due.0.is_zero() => Some(false),
                (None, _) => None,
            },
            issued_on: invoice.invoice_date.map(|at| at.date_naive()),
            due_on: invoice.duedate.map(|at| at.date_naive()),
            paid_on: invoice.datepaid.map(|at| at.date_naive()),
            net: None,
            tax: money(invoice.tax_total),
            total: money(invoice.total),
            balance: money(invoice.amountdue),
            url: None,
            updated_at: invoice.last_modified,
        };
        Ok(Item { id: invoice.id, entity: Some(client), record })
    }
}
