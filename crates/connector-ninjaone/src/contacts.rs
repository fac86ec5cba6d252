//! End users: people of an organisation who may sign in to NinjaOne's portal. They are our contacts.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    Contact, ContactDraft, Error, Item, Kind, Method, Page, Position, Pull, Response, Result, Vendor, WriteContacts,
};
use serde_json::{Map, json};

use crate::{NinjaOne, api, wire};

const LIST: &str = "/v2/user/end-users";

#[async_trait]
impl Pull<Contact> for NinjaOne {
    /// One answer has them all.
    async fn page(&self, _: Position<'_>) -> Result<Page> {
        let records = self.api.whole(self.api.request(Method::Get, LIST)?).await?;
        Ok(Page { records, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let row: wire::EndUser = wire::read(raw, "end user")?;
        let whole: Vec<&str> = [&row.first_name, &row.last_name].into_iter().flatten().map(String::as_str).collect();
        let name = if whole.is_empty() { row.email.clone() } else { Some(whole.join(" ")) };
        let record = Contact {
            name: name.unwrap_or_else(|| format!("End user {}", row.id)),
            given_name: row.first_name,
            family_name: row.last_name,
            email: row.email,
            phone: row.phone,
            active: row.enabled,
            ..Contact::default()
        };
        Ok(Item { id: row.id, entity: Some(row.organization_id), record })
    }
}

#[async_trait]
impl WriteContacts for NinjaOne {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let organization = api::id(entity_id)?;
        let (Some(first), Some(last)) = (text(&draft.given_name), text(&draft.family_name)) else {
            return Err(refused("NinjaOne needs the given name and the family name of an end user"));
        };
        let nobody = ContactDraft { email: draft.email.clone(), phone: draft.phone.clone(), ..ContactDraft::default() };
        refuse_what_stays(draft, &nobody)?;
        let mut body = Map::from_iter([
            ("firstName".to_owned(), first.into()),
            ("lastName".to_owned(), last.into()),
            ("organizationId".to_owned(), organization.into()),
        ]);
        let more = [("email", text(&draft.email)), ("phone", text(&draft.phone))];
        body.extend(more.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))));
        // A person must not get mail from NinjaOne because a record was made.
        let request = self.api.request(Method::Post, LIST)?.query("sendInvitation", false);
        one(&self.api.change(request.json(body.into())).await?)
    }

    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let (path, raw) = self.end_user(entity_id, contact_id).await?;
        let row: wire::EndUser = wire::read(&raw, "end user").map_err(|why| Error::unreadable(Self::NAME, why))?;
        let stays = ContactDraft { email: row.email, phone: row.phone, active: row.enabled, ..ContactDraft::default() };
        refuse_what_stays(draft, &stays)?;
        let names = [("firstName", &draft.given_name), ("lastName", &draft.family_name)];
        let body: Map<_, _> = names
            .into_iter()
            .filter_map(|(key, name)| Some((key.to_owned(), json!(name.as_deref()?.trim()))))
            .collect();
        if body.is_empty() {
            return Ok(raw);
        }
        one(&self.api.change(self.api.request(Method::Patch, &path)?.json(body.into())).await?)
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()> {
        let (path, _) = self.end_user(entity_id, contact_id).await?;
        self.api.change(self.api.request(Method::Delete, &path)?).await.map(drop)
    }

    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes> {
        self.end_user(entity_id, contact_id).await.map(|(_, raw)| raw)
    }
}

impl NinjaOne {
    /// An end user with its address. NinjaOne finds end users by their id alone: one that moved to another
    /// organisation must not be shown or changed as if it were still this one's.
    async fn end_user(&self, entity_id: &str, contact_id: &str) -> Result<(String, Bytes)> {
        let path = format!("/v2/user/end-user/{}", api::id(contact_id)?);
        let raw = one(&self.api.read(self.api.request(Method::Get, &path)?).await?)?;
        let item = Pull::<Contact>::read(self, &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        if item.entity.as_deref() == Some(entity_id) && item.id == contact_id {
            Ok((path, raw))
        } else {
            Err(Error::new(
                Kind::NotFound,
                "this end user belongs to another organization at NinjaOne by now: sync first",
            ))
        }
    }
}

/// The answer's body, once it reads as an end user.
fn one(response: &Response) -> Result<Bytes> {
    let raw = response.body.slice_ref(response.json_bytes(NinjaOne::NAME)?);
    wire::read::<wire::EndUser>(&raw, "end user").map_err(|why| Error::unreadable(NinjaOne::NAME, why))?;
    Ok(raw)
}

/// Refuses a draft that would change what NinjaOne does not keep, or keeps for ever: it would ignore that
/// without a word. `stays` is what there is.
fn refuse_what_stays(draft: &ContactDraft, stays: &ContactDraft) -> Result<()> {
    let differ = |to: &Option<String>, is: &Option<String>| to.is_some() && text(to) != text(is);
    let (active, is) = (draft.active, stays.active.unwrap_or(true));
    for (what, differs) in [
        ("the e-mail address of an end user", differ(&draft.email, &stays.email)),
        ("the telephone of an end user", differ(&draft.phone, &stays.phone)),
        ("a mobile telephone of end users", differ(&draft.mobile, &stays.mobile)),
        ("a job title of end users", differ(&draft.job_title, &stays.job_title)),
        ("a place of end users", differ(&draft.location_id, &stays.location_id)),
        ("whether an end user may sign in", active.is_some_and(|active| active != is)),
    ] {
        if differs {
            return Err(refused(&format!("NinjaOne's interface does not let us set {what}: do it in NinjaOne")));
        }
    }
    Ok(())
}

fn text(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn refused(why: &str) -> Error {
    Error::new(Kind::Refused, why)
}
