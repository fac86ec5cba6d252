//! Ids that people type for a client: for vendors that are not connected yet, and for those that are mapped on the
//! client's own form.

use chrono::{DateTime, Utc};
use directory::{Typed, mapping_type, typed_remove};
use domain::{ClientId, Context, Error, Permission, UnverifiedMappingId};
use persistence::Tx;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{Chapter, mappings::Entity};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// An id that nobody has verified yet.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct UnverifiedMapping {
    /// Id of the entry
    pub id: Uuid,
    /// Integration
    pub integration: String,
    /// The vendor's id, as typed
    pub vendor_id: String,
    /// Why a sync that met it did not map it
    pub problem: Option<String>,
    /// When it was typed
    pub created_at: DateTime<Utc>,
}

impl From<domain::UnverifiedMapping> for UnverifiedMapping {
    fn from(mapping: domain::UnverifiedMapping) -> Self {
        Self {
            id: mapping.id.0,
            integration: mapping.integration,
            vendor_id: mapping.vendor_id,
            problem: mapping.problem,
            created_at: mapping.created_at,
        }
    }
}

/// Every id of a client that nobody has verified yet.
#[derive(Debug, Clone, Object)]
pub struct UnverifiedMappings {
    /// By integration
    pub items: Vec<UnverifiedMapping>,
}

/// An id to be mapped to a client.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct MappingType {
    /// Integration of the catalogue; it need not be connected
    pub integration: String,
    /// The vendor's id of what belongs to the client
    pub vendor_id: String,
}

/// What became of a typed id: one of the two.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct MappingTyped {
    /// The entity, where the vendor lists it: it is mapped
    pub entity: Option<Entity>,
    /// The entry, where nobody lists it yet: the first sync that meets it maps it
    pub unverified: Option<UnverifiedMapping>,
}

/// Most ids that are typed with a new client.
const MOST: usize = 50;

/// Checks that ids typed with a new client name integrations of the catalogue, which the caller may map.
pub(super) async fn may_type(app: &App, context: &Context, action: &str, ids: &[MappingType]) -> domain::Result<()> {
    if ids.len() > MOST {
        return Err(Error::invalid("/ids", "too_many", format!("must be at most {MOST}")));
    }
    for (at, id) in ids.iter().enumerate() {
        let Some(entry) = app.entry(&id.integration) else {
            let message = "is not an integration of the catalogue";
            return Err(Error::invalid(format!("/ids/{at}/integration"), "unknown", message));
        };
        app.permit_for(context, Permission::MappingsSave, action, entry.id).await?;
    }
    Ok(())
}

/// Takes ids that were typed with a new client; a mistake names its place in the body.
pub(super) async fn type_all(tx: &Tx, client: ClientId, ids: &[MappingType]) -> domain::Result<()> {
    for (at, id) in ids.iter().enumerate() {
        mapping_type(tx, client, &id.integration, &id.vendor_id).await.map_err(|why| match why {
            Error::Invalid(mut problems) => {
                problems.iter_mut().for_each(|problem| problem.pointer = format!("/ids/{at}{}", problem.pointer));
                Error::Invalid(problems)
            }
            other => other,
        })?;
    }
    Ok(())
}

/// Typed ids.
pub struct TypedMappings;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Mappings")]
impl TypedMappings {
    /// A client's ids that no sync has verified yet
    #[oai(path = "/:client_id/unverified-mappings", method = "get", operation_id = "unverified_mapping_list")]
    async fn unverified_mapping_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<UnverifiedMappings>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        let items = tx.unverified_of_client(client).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(UnverifiedMappings { items }))
    }

    /// Type the id that a vendor has for a client
    ///
    /// Mapped at once where a connection lists it. Where none does, it is kept as unverified, and the first sync
    /// that meets it maps it. An id that belongs to another client is refused, and the client is named.
    #[oai(path = "/:client_id/unverified-mappings", method = "post", operation_id = "mapping_type")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn mapping_type(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<MappingType>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<MappingTyped>>, Failure> {
        let context = caller.context()?;
        let Some(entry) = app.entry(&body.0.integration) else {
            app.permit(&context, Permission::MappingsSave, "mapping_type").await?;
            let message = "is not an integration of the catalogue";
            return Err(Error::invalid("/integration", "unknown", message).into());
        };
        app.permit_for(&context, Permission::MappingsSave, "mapping_type", entry.id).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (client_id.0, &body.0);
        let write = match app.begin(&context, Permission::MappingsSave, "mapping_type", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let typed = mapping_type(&write.tx, ClientId(client_id.0), entry.id, &body.0.vendor_id).await?;
        let item = match typed {
            Typed::Mapped(entity) => MappingTyped { entity: Some(Entity::of(*entity)), unverified: None },
            Typed::Unverified(mapping) => MappingTyped { entity: None, unverified: Some(mapping.into()) },
        };
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }

    /// Take a typed id back
    #[oai(
        path = "/:client_id/unverified-mappings/:unverified_mapping_id",
        method = "delete",
        operation_id = "unverified_mapping_delete"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn unverified_mapping_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        unverified_mapping_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<UnverifiedMapping>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (client, id) = (ClientId(client_id.0), UnverifiedMappingId(unverified_mapping_id.0));
        let action = "unverified_mapping_delete";
        app.permit(&context, Permission::MappingsSave, action).await?;
        // Before the row is looked at: after the first time it is gone.
        if let Some(answer) = app.answered(&context, action, &asked, &(client, id)).await? {
            return Ok(Answer::new(answer));
        }
        let typed = app.read_as(&context, Permission::ClientsView).await?.unverified_mapping(client, id).await?;
        app.permit_for(&context, Permission::MappingsSave, action, &typed.integration).await?;
        let write = match app.begin(&context, Permission::MappingsSave, action, asked, &(client, id)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = typed_remove(&write.tx, client, id).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}
