//! The account that a connection is, known by the name that a person gave it: the only entity, unless its subaccounts
//! are listed too.

use async_trait::async_trait;
use integration::{Checked, Entity, Error, Item, Kind, Page, Position, Pull, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Smtp2go,
    api::{Api, NEEDED, NEEDED_BELOW, whole},
    subaccounts, wire,
};

/// The account's id. The vendor tells a key nothing of whose it is, and keys change.
pub(crate) const ID: &str = "account";

/// What one raw entity holds: the name of the account itself, or a row of the listing of subaccounts.
#[derive(Deserialize, Serialize)]
struct Account {
    name: String,
}

#[derive(Deserialize)]
struct Below {
    subaccount: wire::Subaccount,
}

#[async_trait]
impl Pull<Entity> for Smtp2go {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        if let Some(cursor) = at.cursor {
            return self.subaccount_page(cursor).await;
        }
        let permitted = self.api.permitted().await?;
        if missing(&permitted, &NEEDED).count() == NEEDED.len() {
            let message = "the API key permits nothing that is needed: permit the endpoints at SMTP2GO, \
                           Sending → API Keys";
            return Err(Error::new(Kind::Forbidden, message));
        }
        let account = Account { name: self.account_name.clone() };
        let own = whole(serde_json::to_vec(&account).into_iter().map(Into::into).collect());
        Ok(match self.subaccounts_begin() {
            Some(next) => Page { next: Some(next), total: None, ..own },
            None => own,
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        if let Ok(Below { subaccount }) = wire::read(raw, "a subaccount") {
            let id = subaccount.id.0.ok_or("a subaccount without an id")?;
            let active = subaccount.state.0.as_deref().map(|state| state.eq_ignore_ascii_case("active"));
            let name = subaccount.name.0.unwrap_or_else(|| format!("Subaccount {id}"));
            let record = Entity { name, active, status: subaccount.state.0, ..Entity::default() };
            return Ok(Item { id: subaccounts::entity_id(&id), entity: None, record });
        }
        let account: Account = wire::read(raw, "an account")?;
        Ok(Item { id: ID.into(), entity: None, record: Entity { name: account.name, ..Entity::default() } })
    }
}

/// Names every endpoint that the key does not permit.
pub(crate) async fn check(api: &Api, below: bool) -> Result<Checked> {
    let permitted = api.permitted().await?;
    let warning = |(endpoint, loss): &(&str, &str)| format!("the API key does not permit {endpoint}: {loss}");
    let needed_below: &'static [_] = if below { &NEEDED_BELOW } else { &[] };
    let lacking = missing(&permitted, &NEEDED).chain(missing(&permitted, needed_below));
    Ok(Checked { account: None, warnings: lacking.map(warning).collect() })
}

fn missing(
    permitted: &[String],
    needed: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    needed.iter().filter(|(endpoint, _)| !permitted.iter().any(|one| one == endpoint))
}
