//! The account that a connection is: the only entity, known by the name that a person gave it.

use async_trait::async_trait;
use integration::{Checked, Entity, Error, Item, Kind, Page, Position, Pull, Result};
use serde::{Deserialize, Serialize};

use crate::{
    Smtp2go,
    api::{Api, NEEDED, whole},
    wire,
};

/// The account's id. The vendor tells a key nothing of whose it is, and keys change.
pub(crate) const ID: &str = "account";

#[derive(Deserialize, Serialize)]
struct Account {
    name: String,
}

#[async_trait]
impl Pull<Entity> for Smtp2go {
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let permitted = self.api.permitted().await?;
        if missing(&permitted).count() == NEEDED.len() {
            let message = "the API key permits nothing that is needed: permit the endpoints at SMTP2GO, \
                           Sending → API Keys";
            return Err(Error::new(Kind::Forbidden, message));
        }
        let account = Account { name: self.account_name.clone() };
        Ok(whole(serde_json::to_vec(&account).into_iter().map(Into::into).collect()))
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let account: Account = wire::read(raw, "an account")?;
        Ok(Item { id: ID.into(), entity: None, record: Entity { name: account.name, ..Entity::default() } })
    }
}

/// Names every endpoint that the key does not permit.
pub(crate) async fn check(api: &Api) -> Result<Checked> {
    let permitted = api.permitted().await?;
    let warning = |(endpoint, loss): &(&str, &str)| format!("the API key does not permit {endpoint}: {loss}");
    Ok(Checked { account: None, warnings: missing(&permitted).map(warning).collect() })
}

fn missing(permitted: &[String]) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    NEEDED.iter().filter(|(endpoint, _)| !permitted.iter().any(|one| one == endpoint))
}
