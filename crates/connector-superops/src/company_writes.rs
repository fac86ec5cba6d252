//! Clients made and changed. A client's address is that of its head office, a site of its own.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{CompanyDraft, Error, Kind, Result, WriteCompanies};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Superops,
    api::Operation,
    clients::FIELDS,
    loose::{Maybe, Tie},
};

const CREATE: Operation = Operation { name: "createClientV2", input: "CreateClientInputV2!", select: FIELDS };
const UPDATE: Operation = Operation { name: "updateClient", input: "UpdateClientInput!", select: FIELDS };
const UPDATE_SITE: Operation = Operation { name: "updateClientSite", input: "UpdateClientSiteInput!", select: "id" };
const FETCH: Operation = Operation { name: "getClient", input: "ClientIdentifierInput!", select: FIELDS };

#[async_trait]
impl WriteCompanies for Superops {
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes> {
        let name = draft.name.as_deref().ok_or_else(|| refused("a new client needs a name"))?;
        if draft.active == Some(false) {
            return Err(refused(STAGES));
        }
        let mut site = address(draft);
        site.insert("name".to_owned(), json!(draft.city.as_deref().unwrap_or(name)));
        site.insert("working24x7".to_owned(), json!(true));
        site.insert("timezoneCode".to_owned(), json!(self.time_zone));
        self.api.mutate(&CREATE, json!({ "name": name, "hqSite": site })).await
    }

    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes> {
        if draft.active == Some(false) {
            return Err(refused(STAGES));
        }
        let mut site = address(draft);
        if let Some(phone) = &draft.phone {
            site.insert("contactNumber".to_owned(), json!(phone));
        }
        if !site.is_empty() {
            let head_office = self.head_office(entity_id).await?;
            site.insert("id".to_owned(), json!(head_office));
            self.api.mutate(&UPDATE_SITE, Value::Object(site)).await?;
        }
        let mut client = Map::new();
        if let Some(name) = &draft.name {
            client.insert("name".to_owned(), json!(name));
        }
        if draft.active == Some(true) {
            client.insert("stage".to_owned(), json!("Active"));
        }
        if client.is_empty() {
            return self.fetch(entity_id).await;
        }
        client.insert("accountId".to_owned(), json!(entity_id));
        self.api.mutate(&UPDATE, Value::Object(client)).await
    }

    async fn fetch(&self, entity_id: &str) -> Result<Bytes> {
        self.api.fetch(&FETCH, json!({ "accountId": entity_id })).await
    }
}

impl Superops {
    /// The site of a client that SuperOps calls its headquarters.
    pub(crate) async fn head_office(&self, client: &str) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Client {
            hq_site: Maybe<Tie>,
        }
        let raw = WriteCompanies::fetch(self, client).await?;
        let client: Client = serde_json::from_slice(&raw).map_err(crate::api::unreadable)?;
        client.hq_site.id().ok_or_else(|| refused("this client has no head office at SuperOps: choose a site"))
    }
}

/// What a draft says of an address, as a site has it. SuperOps knows regions by code only, so a region
/// in words is left out.
fn address(draft: &CompanyDraft) -> Map<String, Value> {
    let code = |text: &&String| (2..=6).contains(&text.len()) && !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let pairs = [
        ("line1", draft.street.clone()),
        ("city", draft.city.clone()),
        ("postalCode", draft.post_code.clone()),
        ("countryCode", draft.country.as_ref().map(|code| code.to_ascii_uppercase())),
        ("stateCode", draft.region.as_ref().filter(code).cloned()),
    ];
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect()
}

const STAGES: &str = "SuperOps has stages instead of in use or not: set the client's stage at SuperOps";

pub(crate) fn refused(message: &str) -> Error {
    Error::new(Kind::Refused, message)
}
