//! Contacts made, changed and removed.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ContactDraft, Error, Kind, Method, Result, WriteContacts};
use serde_json::{Map, Value, json};

use crate::{
    ConnectwiseManage,
    api::{NAME, number},
    contacts::{FIELDS, Means, find},
    wire,
};

#[async_trait]
impl WriteContacts for ConnectwiseManage {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        if draft.given_name.is_none() && draft.family_name.is_none() {
            return Err(Error::new(Kind::Refused, "a contact needs a name"));
        }
        let mut body: Map<String, Value> =
            contact_fields(draft)?.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        body.insert("company".to_owned(), json!({ "id": number(entity_id)? }));
        if reached(draft).next().is_some() {
            let kinds = self.kinds().await?;
            let items = reached(draft).map(|(means, value)| new_item(&kinds, means, value));
            body.insert("communicationItems".to_owned(), items.collect::<Result<Value>>()?);
        }
        self.api.post(&["company", "contacts"], &Value::Object(body), FIELDS).await
    }

    /// ConnectWise has no single call for a name and an address: each is sent once, the name first.
    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let raw = WriteContacts::fetch(self, entity_id, contact_id).await?;
        let id = number(contact_id)?.to_string();
        let path = ["company", "contacts", id.as_str()];
        let changes = contact_fields(draft)?;
        if !changes.is_empty() {
            self.api.patch(&path, &changes, FIELDS).await?;
        }
        let contact: wire::Contact = wire::read("contact", &raw).map_err(|why| Error::unreadable(NAME, why))?;
        let items = contact.communication_items.unwrap_or_default();
        for (means, value) in reached(draft) {
            let known = find(&items, means).filter(|item| item.value.as_deref() != Some(value));
            if let Some(item) = known.and_then(|item| item.id.as_ref()) {
                let at = ["company", "contacts", id.as_str(), "communications", item.0.as_str()];
                self.api.patch(&at, &[("value", value.into())], "id").await?;
            } else if find(&items, means).is_none() {
                let item = new_item(&self.kinds().await?, means, value)?;
                self.api.post(&["company", "contacts", id.as_str(), "communications"], &item, "id").await?;
            }
        }
        WriteContacts::fetch(self, entity_id, contact_id).await
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()> {
        WriteContacts::fetch(self, entity_id, contact_id).await?;
        let id = number(contact_id)?.to_string();
        self.api.call(Method::Delete, &["company", "contacts", &id], |request| request).await.map(drop)
    }

    /// A contact of another company is not known here.
    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes> {
        let raw = self.api.one(&["company", "contacts", &number(contact_id)?.to_string()], FIELDS).await?;
        let row: wire::Row = wire::read("contact", &raw).map_err(|why| Error::unreadable(NAME, why))?;
        if row.company.and_then(wire::Reference::id).as_deref() == Some(entity_id.trim()) {
            return Ok(raw);
        }
        Err(Error::new(Kind::NotFound, format!("{NAME} does not know this contact at this company")))
    }
}

impl ConnectwiseManage {
    /// The kinds of communication that the MSP has made.
    async fn kinds(&self) -> Result<Vec<wire::Choice>> {
        let fields = "id,description,emailFlag,phoneFlag,defaultFlag";
        self.api.all(&["company", "communicationTypes"], fields, None).await
    }
}

/// A new way to reach somebody, of the kind that the MSP uses for it.
fn new_item(kinds: &[wire::Choice], means: Means, value: &str) -> Result<Value> {
    let suits = |kind: &&wire::Choice| {
        let flag = if means == Means::Email { kind.email_flag } else { kind.phone_flag };
        flag == Some(true) && means.is_called(kind.label())
    };
    let default = kinds.iter().filter(suits).find(|kind| kind.default_flag == Some(true));
    let Some(id) = default.or_else(|| kinds.iter().find(suits)).and_then(|kind| kind.id.as_ref()) else {
        let what = match means {
            Means::Email => "e-mail addresses",
            Means::Phone => "telephone numbers",
            Means::Mobile => "mobile numbers",
        };
        return Err(Error::new(Kind::Refused, format!("{NAME} has no communication type for {what}: add one there")));
    };
    Ok(json!({
        "type": { "id": number(&id.0)? },
        "value": value,
        "communicationType": means.word(),
        "defaultFlag": means != Means::Mobile,
    }))
}

fn contact_fields(draft: &ContactDraft) -> Result<Vec<(&'static str, Value)>> {
    let texts = [("firstName", &draft.given_name), ("lastName", &draft.family_name), ("title", &draft.job_title)];
    let mut fields: Vec<(&'static str, Value)> =
        texts.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?.trim().into()))).collect();
    if let Some(site) = &draft.location_id {
        fields.push(("site", json!({ "id": number(site)? })));
    }
    fields.extend(draft.active.map(|active| ("inactiveFlag", (!active).into())));
    Ok(fields)
}

/// Where the draft says that somebody is reached.
fn reached(draft: &ContactDraft) -> impl Iterator<Item = (Means, &str)> {
    [(Means::Email, &draft.email), (Means::Phone, &draft.phone), (Means::Mobile, &draft.mobile)]
        .into_iter()
        .filter_map(|(means, value)| Some((means, value.as_deref()?.trim())))
        .filter(|(_, value)| !value.is_empty())
}
