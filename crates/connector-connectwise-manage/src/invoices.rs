//! Invoices.

use async_trait::async_trait;
use integration::{Exact, Invoice, Item, Money, Page, Position, Pull, Result};

use crate::{
    ConnectwiseManage,
    wire::{self, instant, said},
};

const FIELDS: &str = "id,invoiceNumber,type,status,company,reference,customerPO,date,dueDate,subtotal,salesTax,total,\
     balance,currency,_info";

#[async_trait]
impl Pull<Invoice> for ConnectwiseManage {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page_of_companies(&["finance", "invoices"], FIELDS, None, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let invoice: wire::Invoice = wire::read("invoice", raw)?;
        let id = wire::required("invoice", invoice.id)?;
        let currency = invoice.currency.and_then(code);
        // An amount without its currency says nothing.
        let money = |amount: Option<Exact>| Some(Money::new(amount?, currency.as_deref()?));
        let day = |text: Option<String>| instant(text.as_deref()).map(|at| at.date_naive());
        let record = Invoice {
            cost: false,
            number: said(invoice.invoice_number).unwrap_or_else(|| id.clone()),
            reference: said(invoice.reference).or_else(|| said(invoice.purchase_order)),
            status: said(invoice.status.and_then(|status| status.name)),
            paid: invoice.balance.map(|balance| balance.0.is_zero()),
            issued_on: day(invoice.date),
            due_on: day(invoice.due_date),
            paid_on: None,
            net: money(invoice.subtotal),
            tax: money(invoice.sales_tax),
            total: money(invoice.total),
            balance: money(invoice.balance),
            url: None,
            updated_at: instant(invoice.marks.and_then(|marks| marks.last_updated).as_deref()),
        };
        Ok(Item { id, entity: wire::owner("invoice", invoice.company)?, record })
    }
}

/// The ISO code of a currency. MSPs make their own identifiers: only what looks like a code is one.
fn code(currency: wire::Currency) -> Option<String> {
    let is_code = |text: &String| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    [said(currency.currency_code), said(currency.currency_identifier)].into_iter().flatten().find(is_code)
}
