//! Repeating invoices: the templates from which Xero makes invoices. They come in one answer.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, RepeatingInvoice, Result};

use crate::{
    Xero,
    wire::{self, Schedule, Template, money},
};

#[async_trait]
impl Pull<RepeatingInvoice> for Xero {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let mut records = self.api.list_whole("RepeatingInvoices").await?;
        // One that cannot be read stays, so that it is counted as rejected.
        records.retain(|raw| {
            wire::read::<Template>("a template", raw).map_or(true, |template| {
                let ours = template.r#type.0.as_deref() == Some("ACCREC");
                ours && template.status.0.as_deref() != Some("DELETED")
            })
        });
        Ok(Page { total: Some(records.len() as u64), records, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<RepeatingInvoice>, String> {
        let template: wire::RepeatingInvoice = wire::read("a repeating invoice", raw)?;
        let id = template.id.0.ok_or("a repeating invoice of Xero has no id")?;
        let contact = template.contact.0.and_then(|contact| contact.id.0);
        let schedule = template.schedule.0.unwrap_or_default();
        let mut lines = template.line_items.0.unwrap_or_default().into_iter().filter_map(|line| line.description.0);
        let first = lines.next().and_then(|text| text.lines().next().map(str::to_owned));
        let currency = &template.currency_code;
        let record = RepeatingInvoice {
            name: template.reference.0.or(first).unwrap_or_else(|| "Repeating invoice".to_owned()),
            status: template.status.0,
            schedule: words(&schedule),
            next_on: schedule.next_scheduled_date.0.map(|day| day.0),
            starts_on: schedule.start_date.0.map(|day| day.0),
            ends_on: schedule.end_date.0.map(|day| day.0),
            net: money(template.sub_total, currency),
            tax: money(template.total_tax, currency),
            total: money(template.total, currency),
            updated_at: None,
        };
        Ok(Item { id, entity: Some(contact.ok_or("a repeating invoice of Xero names no contact")?), record })
    }
}

/// How often, in words; a unit that is not known stands as it is written.
fn words(schedule: &Schedule) -> Option<String> {
    let unit = match schedule.unit.0.as_deref()? {
        "WEEKLY" => "week",
        "MONTHLY" => "month",
        other => return Some(other.to_owned()),
    };
    match schedule.period.0? {
        1 => Some(format!("every {unit}")),
        period => Some(format!("every {period} {unit}s")),
    }
}
