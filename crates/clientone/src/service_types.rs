//! What portal users can ask for, as the MSP defines it. A type is retired, never deleted: requests of it stay.

use domain::{
    Error, FormField, Listed, PageRequest, Permission, PortalPermission, PortalSettings, Result, ServiceRequestType,
    ServiceRequestTypeId, check_form, valid_name,
};
use persistence::Tx;

use crate::{config::manage_all, texts::valid_text};

/// Most characters of a description.
const DESCRIPTION: usize = 2_000;

/// A type as it was typed.
#[derive(Clone, Debug)]
pub struct ServiceRequestTypeDraft {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What is asked of whoever wants it.
    pub fields: Vec<FormField>,
}

impl ServiceRequestTypeDraft {
    fn check(self) -> Result<Self> {
        let mut problems = Vec::new();
        let name = valid_name("/name", &self.name).map_err(|problem| problems.push(problem));
        let description = valid_text("/description", &self.description, DESCRIPTION);
        let description = description.map_err(|problem| problems.push(problem));
        let fields = check_form(self.fields).map_err(|found| problems.extend(found));
        match (name, description, fields) {
            (Ok(name), Ok(description), Ok(fields)) => Ok(Self { name, description, fields }),
            _ => Err(Error::Invalid(problems)),
        }
    }
}

/// What to change about a type; `None` leaves it as it is. Requests made before keep the form they had.
#[derive(Clone, Debug, Default)]
pub struct ServiceRequestTypePatch {
    /// What it is called.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// What is asked.
    pub fields: Option<Vec<FormField>>,
    /// Whether it can be asked for.
    pub active: Option<bool>,
    /// The version that was read.
    pub version: Option<i32>,
}

/// Types by name, for those who manage ClientOne.
pub async fn service_request_type_list(
    tx: &Tx,
    active: Option<bool>,
    page: &PageRequest,
) -> Result<Listed<ServiceRequestType>> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.service_request_type_list(active, page).await
}

/// The types that a portal user can ask for.
pub async fn service_request_types_offered(
    tx: &Tx,
    settings: &PortalSettings,
    page: &PageRequest,
) -> Result<Listed<ServiceRequestType>> {
    tx.context().require_portal(PortalPermission::ServiceRequestsView, settings)?;
    tx.service_request_type_list(Some(true), page).await
}

/// Makes a type, for every client. The caller commits.
pub async fn service_request_type_create(tx: &Tx, draft: ServiceRequestTypeDraft) -> Result<ServiceRequestType> {
    manage_all(tx)?;
    let ServiceRequestTypeDraft { name, description, fields } = draft.check()?;
    let row = ServiceRequestType {
        id: tx.new_id(),
        name,
        description,
        fields,
        active: true,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.service_request_type_insert(&row).await?;
    Ok(row)
}

/// Changes a type, retires it or makes it active again. The caller commits.
pub async fn service_request_type_update(
    tx: &Tx,
    id: ServiceRequestTypeId,
    patch: ServiceRequestTypePatch,
) -> Result<ServiceRequestType> {
    manage_all(tx)?;
    let before = tx.service_request_type(id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "type of service request" });
    }
    let draft = ServiceRequestTypeDraft {
        name: patch.name.unwrap_or_else(|| before.name.clone()),
        description: patch.description.unwrap_or_else(|| before.description.clone()),
        fields: patch.fields.unwrap_or_else(|| before.fields.clone()),
    };
    let ServiceRequestTypeDraft { name, description, fields } = draft.check()?;
    let active = patch.active.unwrap_or(before.active);
    tx.service_request_type_save(&before, ServiceRequestType { name, description, fields, active, ..before.clone() })
        .await
}
