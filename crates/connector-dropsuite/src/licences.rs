//! Seats: one licence for each customer.

use async_trait::async_trait;
use integration::{Item, Licence, Page, Position, Pull, Result};

use crate::{Dropsuite, wire};

#[async_trait]
impl Pull<Licence> for Dropsuite {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        self.api.customers_page().await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Licence>, String> {
        let user: wire::User = wire::read(raw, "a customer")?;
        let id = user.organization_id.0.ok_or("a customer without the number of its organisation")?;
        let plan = user.plan_id.0.unwrap_or_default();
        let name = if plan.is_empty() { "Backup seats".to_owned() } else { format!("Backup seats (plan {plan})") };
        let used = user.active_seats.0.or(user.seats_used.0);
        let record = Licence {
            name,
            part_number: plan.clone(),
            sku_id: plan,
            used: used.and_then(|seats| i64::try_from(seats).ok()),
            // Whether `seats_available` counts all seats or those that are left is not known, and either guess
            // would be a wrong total for somebody. So the number is shown as the vendor says it.
            total: None,
            status: user.seats_available.0.map(|seats| format!("{seats} seats available")),
            unlimited: false,
        };
        Ok(Item { id: id.clone(), entity: Some(id), record })
    }
}
