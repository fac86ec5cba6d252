//! Users: the people of a client, by the vendor's word.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{
    Contact, ContactDraft, Error, Item, Kind, Page, Position, Pull, Result, Retry, Vendor, WriteContacts,
};
use serde_json::{Map, Value};

use crate::{Halopsa, api::number, clients::put, wire};

/// The name of the placeholder that each site has for people who are not known.
const PLACEHOLDER: &str = "General User";

#[async_trait]
impl Pull<Contact> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let people = [("includeactive", "true"), ("includeinactive", "true"), ("exclude_generaluser", "true")];
        let mut page = self.api.list("Users", "users", &people, at.cursor).await?;
        // Older versions do not know that filter, and ignore it. One that cannot be read stays: it is counted.
        page.records.retain(|raw| {
            let user = wire::read::<wire::User>("a user", raw);
            user.ok().and_then(|user| user.name).as_deref() != Some(PLACEHOLDER)
        });
        // Whether the vendor counts the placeholders is not known.
        page.total = None;
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let user: wire::User = wire::read("a user", raw)?;
        let client = user.client_id.clone().ok_or("a user of HaloPSA names no client")?;
        let whole = whole_name(user.firstname.as_deref(), user.surname.as_deref());
        let name = user.name.or(whole).or_else(|| user.emailaddress.clone());
        let record = Contact {
            name: name.unwrap_or_else(|| format!("User {}", user.id)),
            given_name: user.firstname,
            family_name: user.surname,
            email: user.emailaddress,
            phone: user.phonenumber,
            mobile: user.mobilenumber,
            job_title: None,
            location_id: user.site_id,
            primary: None,
            active: user.inactive.map(|inactive| !inactive),
            created_at: user.datecreated,
            updated_at: user.ulastupdate,
        };
        Ok(Item { id: user.id, entity: Some(client), record })
    }
}

#[async_trait]
impl WriteContacts for Halopsa {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let name = whole_name(draft.given_name.as_deref(), draft.family_name.as_deref()).or(draft.email.clone());
        let name = name.ok_or_else(|| Error::new(Kind::Refused, "HaloPSA wants a name or an e-mail for a new user"))?;
        let site = match &draft.location_id {
            Some(site) => self.site_of(entity_id, site).await?,
            None => {
                let client = self.client(&self.api.one("Client", entity_id).await?)?;
                let no_site = || Error::new(Kind::Refused, "HaloPSA names no main site of this client: choose a site");
                number(&client.main_site_id.ok_or_else(no_site)?)?
            }
        };
        let mut user = said(draft);
        user.insert("name".to_owned(), name.into());
        user.insert("site_id".to_owned(), site.into());
        self.user_answered(self.api.write("Users", user.into()).await?)
    }

    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let (before, now) = self.user(entity_id, contact_id).await?;
        let mut change = said(draft);
        if draft.given_name.is_some() || draft.family_name.is_some() {
            let given = draft.given_name.as_deref().or(now.firstname.as_deref());
            let family = draft.family_name.as_deref().or(now.surname.as_deref());
            // With one part only, the name that people see would lose the other.
            put(&mut change, "name", given.and(family).and_then(|_| whole_name(given, family)));
        }
        if let Some(site) = &draft.location_id {
            change.insert("site_id".to_owned(), self.site_of(entity_id, site).await?.into());
        }
        if change.is_empty() {
            return Ok(before);
        }
        change.insert("id".to_owned(), number(contact_id)?.into());
        self.user_answered(self.api.write("Users", change.into()).await?)
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()> {
        self.user(entity_id, contact_id).await?;
        self.api.delete("Users", contact_id).await
    }

    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes> {
        Ok(self.user(entity_id, contact_id).await?.0)
    }
}

impl Halopsa {
    /// A user of this client as the vendor has them now: one of another client is not found.
    pub(crate) async fn user(&self, client_id: &str, user_id: &str) -> Result<(Bytes, wire::User)> {
        let raw = self.api.one("Users", user_id).await?;
        let user: wire::User = wire::read("a user", &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        if user.client_id.as_deref() != Some(client_id) {
            return Err(Error::new(Kind::NotFound, "HaloPSA has no such user under this client"));
        }
        Ok((raw, user))
    }

    /// The number of a site, if it is one of this client's.
    async fn site_of(&self, client_id: &str, site_id: &str) -> Result<i32> {
        let raw = self.api.one("Site", site_id).await?;
        let site: wire::Site = wire::read("a site", &raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
        if site.client_id.as_deref() != Some(client_id) {
            return Err(Error::new(Kind::Refused, "this site belongs to another client of HaloPSA"));
        }
        number(site_id)
    }

    fn user_answered(&self, raw: Bytes) -> Result<Bytes> {
        let read = Pull::<Contact>::read(self, &raw);
        read.map_err(|why| Error::unreadable(Self::NAME, why).retry(Retry::No)).map(|_| raw)
    }
}

/// What a draft says, in the vendor's words, without the name as a whole and the site.
fn said(draft: &ContactDraft) -> Map<String, Value> {
    let mut user = Map::new();
    put(&mut user, "firstname", draft.given_name.as_deref());
    put(&mut user, "surname", draft.family_name.as_deref());
    put(&mut user, "emailaddress", draft.email.as_deref());
    put(&mut user, "phonenumber", draft.phone.as_deref());
    put(&mut user, "mobilenumber", draft.mobile.as_deref());
    put(&mut user, "inactive", draft.active.map(|active| !active));
    user
}

fn whole_name(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [given, family].into_iter().flatten().map(str::trim).filter(|one| !one.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
