//! Client users made, changed and removed. SuperOps removes softly: it keeps what they did.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ContactDraft, Result, WriteContacts};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Superops, api::Operation, company_writes::refused, contacts::FIELDS, loose::Text};

const CREATE: Operation = Operation { name: "createClientUser", input: "CreateClientUserInput!", select: FIELDS };
const UPDATE: Operation = Operation { name: "updateClientUser", input: "UpdateClientUserInput!", select: FIELDS };
const DELETE: Operation = Operation { name: "deleteClientUser", input: "DeleteUserInput!", select: "" };
const FETCH: Operation = Operation { name: "getClientUser", input: "ClientUserIdentifierInput!", select: FIELDS };
const ROLES: Operation = Operation { name: "getRequesterRoleList", input: "", select: "roleId name" };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Role {
    role_id: Text,
    name: Text,
}

#[async_trait]
impl WriteContacts for Superops {
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let (Some(_), Some(_)) = (&draft.given_name, &draft.email) else {
            return Err(refused("a new client user needs a given name and an e-mail address"));
        };
        let role = self.plain_role().await?;
        let site = match &draft.location_id {
            Some(site) => site.clone(),
            None => self.head_office(entity_id).await?,
        };
        let mut user = fields(draft)?;
        user.insert("role".to_owned(), json!({ "roleId": role }));
        let association = json!({ "client": { "accountId": entity_id }, "site": { "id": site } });
        user.insert("addAssociations".to_owned(), json!([association]));
        self.api.mutate(&CREATE, Value::Object(user)).await
    }

    async fn update(&self, _entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes> {
        let mut user = fields(draft)?;
        if let Some(site) = &draft.location_id {
            user.insert("site".to_owned(), json!({ "id": site }));
        }
        user.insert("userId".to_owned(), json!(contact_id));
        self.api.mutate(&UPDATE, Value::Object(user)).await
    }

    fn removable(&self) -> bool {
        true
    }

    async fn remove(&self, _entity_id: &str, contact_id: &str) -> Result<()> {
        self.api.mutate(&DELETE, json!({ "userId": contact_id })).await.map(drop)
    }

    async fn fetch(&self, _entity_id: &str, contact_id: &str) -> Result<Bytes> {
        self.api.fetch(&FETCH, json!({ "userId": contact_id })).await
    }
}

impl Superops {
    /// The role for a new user: one that is no administrator's.
    async fn plain_role(&self) -> Result<String> {
        let roles: Vec<Role> = self.api.lookup(&ROLES).await?;
        let named = |role: &Role| role.name.0.as_deref().unwrap_or_default().to_lowercase();
        let plain = roles
            .iter()
            .find(|role| named(role) == "requester")
            .or_else(|| roles.iter().find(|role| !named(role).is_empty() && !named(role).contains("admin")));
        plain.and_then(|role| role.role_id.0.clone()).ok_or_else(|| {
            refused("SuperOps has no role for client users but an administrator's: make one named Requester there")
        })
    }
}

/// What a draft says, as SuperOps names it. There is one telephone number, and no job title.
fn fields(draft: &ContactDraft) -> Result<Map<String, Value>> {
    if draft.active == Some(false) {
        return Err(refused("SuperOps has no client users out of use: remove them instead"));
    }
    let pairs = [
        ("firstName", &draft.given_name),
        ("lastName", &draft.family_name),
        ("email", &draft.email),
        ("contactNumber", if draft.phone.is_some() { &draft.phone } else { &draft.mobile }),
    ];
    let told = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
    Ok(told.collect())
}
