//! Contacts of all clients. Temporary ones, which are nobody's, and those merged into another are left
//! out.

use async_trait::async_trait;
use integration::{Contact, Item, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Text, Time},
    paging::List,
};

const LIST: List = List { path: &["contacts"], query: &[], owned: |raw| loose::names_client(raw) && !merged(raw) };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Row {
    pub id: Text,
    pub client_id: Text,
    pub location_id: Text,
    pub first_name: Text,
    pub last_name: Text,
    pub primary_email: Text,
    pub office_phone: Text,
    pub mobile_phone: Text,
    pub job_title: Text,
    pub status: Code,
    pub created_on: Time,
    pub updated_on: Time,
    pub merged_with_contact_id: Text,
}

fn merged(raw: &[u8]) -> bool {
    serde_json::from_slice::<Row>(raw).is_ok_and(|row| row.merged_with_contact_id.other_id().is_some())
}

#[async_trait]
impl Pull<Contact> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let row: Row = loose::read("a contact", raw)?;
        let id = row.id.own_id("a contact")?;
        let parts: Vec<&str> =
            [&row.first_name.0, &row.last_name.0].into_iter().flatten().map(String::as_str).collect();
        let name = Some(parts.join(" ")).filter(|name| !name.is_empty()).or_else(|| row.primary_email.0.clone());
        let record = Contact {
            name: name.unwrap_or_else(|| format!("Contact {id}")),
            given_name: row.first_name.0,
            family_name: row.last_name.0,
            email: row.primary_email.0,
            phone: row.office_phone.0,
            mobile: row.mobile_phone.0,
            job_title: row.job_title.0,
            location_id: row.location_id.other_id(),
            active: match row.status.word().as_str() {
                "active" => Some(true),
                "inactive" => Some(false),
                _ => None,
            },
            created_at: row.created_on.0,
            updated_at: row.updated_on.0,
            ..Contact::default()
        };
        Ok(Item { id, entity: row.client_id.other_id(), record })
    }
}
