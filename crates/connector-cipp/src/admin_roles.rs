//! Administrators' roles. CIPP lists roles with their members; each member that is a user makes a record.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{AdminRole, Item, Page, Position, Pull, Reach, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Cipp,
    api::whole,
    wire::{self, said},
};

/// One role, with everybody who holds it.
#[derive(Deserialize)]
struct Role {
    #[serde(default, rename = "Id", deserialize_with = "wire::text")]
    id: Option<String>,
    /// The same in every tenant; only roles made by the customer have none.
    #[serde(default, rename = "roleTemplateId", deserialize_with = "wire::text")]
    template: Option<String>,
    #[serde(default, rename = "DisplayName", deserialize_with = "wire::text")]
    name: Option<String>,
    /// A list; older versions put a lone member, or a word for nobody, in its place.
    #[serde(default, rename = "Members")]
    members: Value,
}

/// One member of one role: what a record is made from.
#[derive(Deserialize, Serialize)]
struct Held {
    role: String,
    name: Option<String>,
    member: Member,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    id: String,
    /// Groups and apps have none.
    #[serde(default, deserialize_with = "wire::text")]
    user_principal_name: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    directory_scope_id: Option<String>,
}

fn role(raw: &[u8]) -> Result<Role, String> {
    wire::read(raw, "a role")
}

/// The users who hold a role, each as a raw record of its own.
fn users(role: Role) -> Vec<Bytes> {
    let Some(id) = said(role.template).or_else(|| said(role.id)) else { return Vec::new() };
    let members = match role.members {
        Value::Array(members) => members,
        one => vec![one],
    };
    let members = members.into_iter().filter_map(|member| serde_json::from_value::<Member>(member).ok());
    let users = members.filter(|member| said(member.user_principal_name.clone()).is_some());
    let held = |member| Held { role: id.clone(), name: said(role.name.clone()), member };
    users.filter_map(|member| serde_json::to_vec(&held(member)).ok()).map(Bytes::from).collect()
}

#[async_trait]
impl Pull<AdminRole> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let is_role = |raw: &[u8]| role(raw).is_ok_and(|role| role.id.is_some());
        let roles = self.api.of_tenant("ListRoles", at, is_role).await?;
        let held = roles.into_iter().flat_map(|raw| match role(&raw) {
            Ok(role) => users(role),
            // One that cannot be read stays, so that it is counted as rejected.
            Err(_) => vec![raw],
        });
        Ok(whole(held.collect()))
    }

    fn read(&self, raw: &[u8]) -> Result<Item<AdminRole>, String> {
        let held: Held = wire::read(raw, "a holder of a role")?;
        let id = format!("{}/{}", held.role, held.member.id);
        let record = AdminRole {
            user_id: held.member.id,
            role: held.name.unwrap_or_else(|| held.role.clone()),
            role_id: held.role,
            scope: said(held.member.directory_scope_id),
        };
        Ok(Item { id, entity: None, record })
    }
}
