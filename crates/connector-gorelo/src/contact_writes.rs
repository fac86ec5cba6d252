//! Contacts made, changed and removed. A change replaces the whole contact, so it begins with a read.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ContactDraft, Method, Result, WriteContacts};
use serde_json::{Map, Value, json};

use crate::{
    Gorelo,
    api::unreadable,
    company_writes::{number, refused},
};

/// What a change must send back as it was, or Gorelo empties it.
const KEPT: [&str; 13] = [
    "ClientId",
    "LocationId",
    "FirstName",
    "LastName",
    "PrimaryEmail",
    "OfficePhone",
    "OfficePhoneCountryCode",
    "MobilePhone",
    "MobilePhoneCountryCode",
    "JobTitle",
    "Department",
    "Description",
    "TimeZone",
];

#[async_trait]
impl WriteContacts for Gorelo {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        if draft.given_name.is_none() || draft.family_name.is_none() || draft.email.is_none() {
            return Err(refused("a new contact needs a given name, a family name and an e-mail address"));
        }
        let mut contact = Map::from_iter([("ClientId".to_owned(), json!(number(entity_id)?))]);
        self.put(&mut contact, draft)?;
        self.api.write(Method::Post, &["contacts"], Value::Object(contact)).await
    }

    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let raw = WriteContacts::fetch(self, entity_id, contact_id).await?;
        let before: Map<String, Value> = serde_json::from_slice(&raw).map_err(unreadable)?;
        let said = |value: &Value| !value.is_null() && value.as_str() != Some("");
        let kept = before.into_iter().filter(|(name, value)| KEPT.contains(&name.as_str()) && said(value));
        let mut contact: Map<String, Value> = kept.collect();
        if !contact.contains_key("ClientId") {
            contact.insert("ClientId".to_owned(), json!(number(entity_id)?));
        }
        self.put(&mut contact, draft)?;
        self.api.write(Method::Patch, &["contacts", contact_id], Value::Object(contact)).await
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, _entity_id: &str, contact_id: &str) -> Result<()> {
        self.api.delete(&["contacts", contact_id]).await
    }

    async fn fetch(&self, _entity_id: &str, contact_id: &str) -> Result<Bytes> {
        self.api.get(&["contacts", contact_id]).await
    }
}

impl Gorelo {
    /// Puts what a draft says.
    fn put(&self, contact: &mut Map<String, Value>, draft: &ContactDraft) -> Result<()> {
        if draft.active == Some(false) {
            return Err(refused("Gorelo's API cannot set a contact out of use: remove it, or do it at Gorelo"));
        }
        let texts = [
            ("FirstName", &draft.given_name),
            ("LastName", &draft.family_name),
            ("PrimaryEmail", &draft.email),
            ("JobTitle", &draft.job_title),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                contact.insert(name.to_owned(), json!(text));
            }
        }
        if let Some(location) = &draft.location_id {
            contact.insert("LocationId".to_owned(), json!(number(location)?));
        }
        self.put_phone(contact, "OfficePhone", draft.phone.as_deref());
        self.put_phone(contact, "MobilePhone", draft.mobile.as_deref());
        Ok(())
    }
}
