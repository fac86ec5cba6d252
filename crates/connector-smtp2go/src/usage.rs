//! What an account has sent: its plan's period and the last 30 days, in one record.

use async_trait::async_trait;
use integration::{Item, MailUsage, Page, Position, Pull, Reach, Result, loose::Maybe};

use crate::{Smtp2go, account, api, subaccounts::Whose, wire};

#[async_trait]
impl Pull<MailUsage> for Smtp2go {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        if let Whose::Of(id) = self.whose(at)? {
            return Ok(api::whole(vec![self.subaccount_usage(id).await?]));
        }
        // The summary holds the period too: one request for both.
        let data = self.api.data("/stats/email_summary").await?;
        serde_json::from_slice::<wire::Usage>(&data).map_err(|why| self.api.unreadable(&why))?;
        Ok(api::whole(vec![data]))
    }

    fn read(&self, raw: &[u8]) -> Result<Item<MailUsage>, String> {
        let wire: wire::Usage = wire::read(raw, "a summary")?;
        let count = |number: Maybe<u64>| number.0.and_then(|number| i64::try_from(number).ok());
        let record = MailUsage {
            name: wire.name.0.unwrap_or_else(|| self.account_name.clone()),
            period_starts_at: wire.cycle_start.0.as_deref().and_then(wire::instant),
            period_ends_at: wire.cycle_end.0.as_deref().and_then(wire::instant),
            used: count(wire.cycle_used),
            limit: count(wire.cycle_max),
            sent: count(wire.email_count),
            hard_bounces: count(wire.hardbounces),
            soft_bounces: count(wire.softbounces),
            spam_complaints: count(wire.spam_emails),
            unsubscribes: count(wire.unsubscribes),
            rejects: count(wire.rejects),
            opens: count(wire.opens),
            clicks: count(wire.clicks),
        };
        Ok(Item { id: account::ID.into(), entity: None, record })
    }
}
