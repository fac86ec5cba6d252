//! Administrators' roles. Only roles that a user holds directly and now: not through a group, and not
//! ones that must first be activated.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{AdminRole, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{Microsoft365, api::Source, wire};

const ASSIGNMENTS: Source = Source {
    path: "roleManagement/directory/roleAssignments",
    query: "$expand=principal",
    right: "RoleManagement.Read.Directory",
};

/// Names of the built-in roles worth watching; their ids are the same in every tenant.
const ROLES: [(&str, &str); 12] = [
    ("62e90394-69f5-4237-9190-012177145e10", "Global Administrator"),
    ("e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator"),
    ("7be44c8a-adaf-4e2a-84d6-ab2649e08a13", "Privileged Authentication Administrator"),
    ("194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator"),
    ("fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator"),
    ("29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator"),
    ("f28a1f50-f6e7-4571-818b-6a12f2af6b6c", "SharePoint Administrator"),
    ("b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "Conditional Access Administrator"),
    ("9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator"),
    ("158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator"),
    ("729827e3-9c14-49f7-bb1b-9608f156bbb8", "Helpdesk Administrator"),
    ("b0f54661-2d74-4c50-afa3-1ec803f12efe", "Billing Administrator"),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    principal_id: String,
    role_definition_id: String,
    directory_scope_id: Option<String>,
}

#[derive(Deserialize)]
struct Held {
    principal: Option<Principal>,
}

#[derive(Deserialize)]
struct Principal {
    #[serde(rename = "@odata.type")]
    kind: String,
}

/// Whether something other than a user holds the role. What cannot be told is kept, for `read` to judge.
fn held_by_other(raw: &Bytes) -> bool {
    serde_json::from_slice::<Held>(raw)
        .is_ok_and(|held| held.principal.is_none_or(|principal| !principal.kind.ends_with(".user")))
}

#[async_trait]
impl Pull<AdminRole> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut page = self.api.page(&ASSIGNMENTS, at).await?;
        page.records.retain(|raw| !held_by_other(raw));
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<AdminRole>, String> {
        let wire: Wire = wire::read(raw, "a role assignment")?;
        let known = ROLES.iter().find(|(id, _)| wire.role_definition_id.eq_ignore_ascii_case(id));
        let record = AdminRole {
            user_id: wire.principal_id,
            role: known.map_or_else(|| wire.role_definition_id.clone(), |(_, name)| (*name).to_owned()),
            role_id: wire.role_definition_id,
            scope: wire::text(wire.directory_scope_id),
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
