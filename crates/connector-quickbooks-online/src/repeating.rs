//! Templates from which QuickBooks Online makes invoices at set times. Templates of bills and the like stand in
//! the same listing and are left out.

use std::collections::HashMap;

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, RepeatingInvoice, Result};
use serde::de::IgnoredAny;

use crate::{QuickbooksOnline, invoices::Sums, listing::Source, wire};

/// In the vendor's own order: whether this type can be put into another is not documented.
const TEMPLATES: Source = Source { entity: "RecurringTransaction", rest: "" };

#[async_trait]
impl Pull<RepeatingInvoice> for QuickbooksOnline {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut page = self.api.list(&TEMPLATES, at.cursor).await?;
        // One that cannot be read stays, so that it is counted as rejected.
        page.records.retain(|raw| {
            serde_json::from_slice::<HashMap<String, IgnoredAny>>(raw)
                .map_or(true, |wrapper| wrapper.contains_key("Invoice"))
        });
        // A deletion would not be told: whether the vendor tells changes of this type is not documented.
        Ok(Page { mark: None, ..page })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<RepeatingInvoice>, String> {
        let template: wire::Template = wire::read("a template", raw)?;
        let invoice = template.invoice;
        let id = invoice.id.0.clone().ok_or("a template of QuickBooks Online has no id")?;
        let sums = Sums::of(&invoice, self.currency.as_ref());
        let customer = invoice.customer_ref.0.and_then(|customer| customer.value.0);
        let info = invoice.recurring_info.0.unwrap_or_default();
        let times = info.schedule_info.0.unwrap_or_default();
        let status = if info.active.0 == Some(false) { Some("Inactive".to_owned()) } else { info.recur_type.0 };
        let record = RepeatingInvoice {
            name: info.name.0.unwrap_or_else(|| format!("Template {id}")),
            status,
            next_on: times.next_date.0.map(|day| day.0),
            starts_on: times.start_date.0.map(|day| day.0),
            ends_on: times.end_date.0.map(|day| day.0),
            schedule: schedule(times.interval_type.0, times.num_interval.0),
            net: sums.net,
            tax: sums.tax,
            total: sums.total,
            updated_at: invoice.meta_data.0.and_then(|written| written.last_updated_time.0),
        };
        Ok(Item { id, entity: Some(customer.ok_or("a template of QuickBooks Online names no customer")?), record })
    }
}

/// "every month", "every 2 weeks"; in the vendor's own words where those are not known to us.
fn schedule(interval: Option<String>, number: Option<u64>) -> Option<String> {
    let interval = interval?;
    let unit = match interval.to_ascii_lowercase().as_str() {
        "daily" => "day",
        "weekly" => "week",
        "monthly" => "month",
        "yearly" => "year",
        _ => return Some(interval),
    };
    Some(match number {
        Some(1) => format!("every {unit}"),
        Some(number) => format!("every {number} {unit}s"),
        None => interval,
    })
}
