//! Contacts made, changed and removed. They are children of a company: the vendor refuses writes
//! anywhere else.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ContactDraft, Error, Kind, Method, Result, WriteContacts};
use serde_json::{Map, Value};

use crate::{Autotask, api::number, contacts::SHAPE};

#[async_trait]
impl WriteContacts for Autotask {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        if draft.given_name.is_none() || draft.family_name.is_none() {
            return Err(Error::new(Kind::Refused, "a contact at Autotask needs a given and a family name"));
        }
        let company = number(entity_id)?;
        let mut body = contact_fields(draft)?;
        body.insert("companyID".to_owned(), company.into());
        body.entry("isActive").or_insert_with(|| 1.into());
        let path = ["Companies", &company.to_string(), "Contacts"];
        let id = self.api.write(Method::Post, &path, Some(&Value::Object(body))).await?;
        self.api.written(SHAPE, &id).await
    }

    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let raw = WriteContacts::fetch(self, entity_id, contact_id).await?;
        let mut body = contact_fields(draft)?;
        if body.is_empty() {
            return Ok(raw);
        }
        body.insert("id".to_owned(), number(contact_id)?.into());
        let path = ["Companies", &number(entity_id)?.to_string(), "Contacts"];
        self.api.write(Method::Patch, &path, Some(&Value::Object(body))).await?;
        self.api.written(SHAPE, contact_id).await
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()> {
        WriteContacts::fetch(self, entity_id, contact_id).await?;
        let (company, contact) = (number(entity_id)?.to_string(), number(contact_id)?.to_string());
        let path = ["Companies", company.as_str(), "Contacts", contact.as_str()];
        self.api.write(Method::Delete, &path, None).await.map(drop)
    }

    /// A contact of another company is not known here.
    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes> {
        let conditions = [("id", number(contact_id)?.into()), ("companyID", number(entity_id)?.into())];
        self.api.one(SHAPE, &conditions).await
    }
}

/// What the draft names, by Autotask's names.
fn contact_fields(draft: &ContactDraft) -> Result<Map<String, Value>> {
    let texts = [
        ("firstName", &draft.given_name),
        ("lastName", &draft.family_name),
        ("emailAddress", &draft.email),
        ("phone", &draft.phone),
        ("mobilePhone", &draft.mobile),
        ("title", &draft.job_title),
    ];
    let mut fields: Map<String, Value> =
        texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text.as_deref()?.trim().into()))).collect();
    if let Some(place) = &draft.location_id {
        fields.insert("companyLocationID".to_owned(), number(place)?.into());
    }
    // A number here, unlike everywhere else.
    fields.extend(draft.active.map(|active| ("isActive".to_owned(), i64::from(active).into())));
    Ok(fields)
}
