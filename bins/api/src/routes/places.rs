//! A client's locations: their custom fields, and links to installers for them.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{ClientId, EntityId, Error, Permission, RecordId};
use persistence::Apply;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sync::{Acting, Asking, InstallerLinkMake};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{CHOICE, Fields, LINE, TEXT, act, permitted},
    fleet::RecordPage,
    stored::{Ask, listed, view},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::{ChangeSet, Written},
    page::Answer,
    problem::Failure,
    write::Asked,
};

/// Most custom fields that one request sets.
const MOST_FIELDS: usize = 100;

view! {
    /// A place of the client, as one vendor knows it.
    Location {
        /// Name
        name: String = |b| b.name.clone(),
        /// Address as written
        address: Option<String> = |b| b.address.clone(),
        /// Description
        description: Option<String> = |b| b.description.clone(),
    }
}

/// A field that the MSP added to the vendor's own.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CustomField {
    /// As it is set
    pub name: String,
    /// As people read it
    pub label: String,
    /// The vendor's word for its type
    pub class: Option<String>,
    /// Its value; absent where it is empty or secret
    pub value: Option<String>,
    /// Whether it can be set
    pub editable: bool,
}

/// The custom fields of a location.
#[derive(Debug, Clone, Object)]
pub struct CustomFieldList {
    /// In the vendor's order
    pub items: Vec<CustomField>,
}

/// A custom field to be set.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct CustomFieldValue {
    /// Its name
    pub name: String,
    /// Its value, at most 20,000 characters; left out, it is emptied
    pub value: Option<String>,
}

/// Custom fields to be set; others stay.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct CustomFieldsSet {
    /// 1 to 100 of them, each once
    pub values: Vec<CustomFieldValue>,
}

/// An installer to be linked to.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct InstallerRequest {
    /// For which of the client's entities: it says at which vendor
    pub entity_id: Uuid,
    /// For which of its locations; the first when left out
    pub location_id: Option<Uuid>,
    /// Kind of installer, by the vendor's word ("WINDOWS_MSI")
    pub platform: String,
}

/// A link to an installer.
#[derive(Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct InstallerLink {
    /// The address: it enrols whoever runs it, and is not kept here. Absent in a preview
    pub url: Option<String>,
    /// When it ends, where the vendor says so
    pub expires_at: Option<DateTime<Utc>>,
    /// What is journalled: that it was made
    pub change_set: ChangeSet,
}

/// Locations of a client.
pub struct Locations;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Locations {
    /// A client's locations
    #[oai(path = "/:client_id/locations", method = "get", operation_id = "client_location_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_location_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Part of the title
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<RecordPage<Location>>, Failure> {
        let ask = Ask { search: search.0, limit: limit.0, cursor: cursor.0 };
        listed(&app, caller, uri, client_id.0, ("location", Permission::DevicesView), ask).await
    }

    /// The custom fields of a location, asked of the vendor
    #[oai(
        path = "/:client_id/locations/:location_id/custom-fields",
        method = "get",
        operation_id = "custom_fields_get"
    )]
    async fn custom_fields_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        location_id: Path<Uuid>,
    ) -> Result<Answer<CustomFieldList>, Failure> {
        let context = caller.context()?;
        context.require(Permission::DevicesView)?;
        let (client, id) = (ClientId(client_id.0), RecordId(location_id.0));
        let found = app.engine.custom_fields_get(&context, client, id).await?.into_iter();
        let view = |field: integration::CustomField| CustomField {
            name: field.name,
            label: field.label,
            class: field.class,
            value: field.value,
            editable: field.editable,
        };
        Ok(Answer::new(CustomFieldList { items: found.map(view).collect() }))
    }

    /// Set custom fields of a location at the vendor
    ///
    /// A field may hold a secret: the journal says which were set, and no value.
    #[oai(
        path = "/:client_id/locations/:location_id/custom-fields",
        method = "put",
        operation_id = "custom_fields_set"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn custom_fields_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        location_id: Path<Uuid>,
        body: Json<CustomFieldsSet>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Location>>, Failure> {
        let context = permitted(&app, caller, Permission::DocumentsEdit, "custom_fields_set").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let values = checked(body.values)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, sync::CustomFieldsSet { id: RecordId(location_id.0), values }, asked, &request)
            .await
    }

    /// Make a link to an agent's installer
    ///
    /// The journal says that it was made, and for what; the address is in this answer only.
    #[oai(path = "/:client_id/installer-links", method = "post", operation_id = "installer_link_make")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn installer_link_make(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<InstallerRequest>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<InstallerLink>, Failure> {
        let context = permitted(&app, caller, Permission::InstallersMake, "installer_link_make").await?;
        let body = body.0;
        let mut fields = Fields::default();
        let platform = fields.line("/platform", Some(body.platform), CHOICE).unwrap_or_default();
        fields.check()?;
        let location = body.location_id.map(RecordId);
        let link = InstallerLinkMake { entity: EntityId(body.entity_id), location, platform };
        let dry_run = dry_run.0.unwrap_or(false);
        // No key: a kept answer would keep the address.
        let apply = Apply { dry_run, expect: expect.0, reason: reason.0 };
        let asking = Asking { client: ClientId(client_id.0), apply, key: None };
        let Acting::Acted(acted) = app.engine.act(&context, Arc::new(link), asking).await? else {
            return Err(Error::internal("an answer was kept without a key").into());
        };
        let (url, expires_at) = acted.installer.map(|made| (made.url, made.expires_at)).unzip();
        let change_set = ChangeSet::of(acted.set, dry_run);
        Ok(Answer::new(InstallerLink { url, expires_at: expires_at.flatten(), change_set }))
    }
}

/// Names and values, each name once.
fn checked(values: Vec<CustomFieldValue>) -> domain::Result<Vec<(String, Option<String>)>> {
    let mut fields = Fields::default();
    if !(1..=MOST_FIELDS).contains(&values.len()) {
        fields.wrong("/values", "out_of_range", "must have 1 to 100 fields");
    }
    let mut names = BTreeSet::new();
    let mut checked = Vec::with_capacity(values.len().min(MOST_FIELDS));
    for (at, field) in values.into_iter().take(MOST_FIELDS).enumerate() {
        let pointer = format!("/values/{at}/name");
        let name = fields.line(&pointer, Some(field.name), LINE).unwrap_or_default();
        if !names.insert(name.clone()) && !name.is_empty() {
            fields.wrong(&pointer, "repeated", "is there twice");
        }
        checked.push((name, fields.text(&format!("/values/{at}/value"), field.value, TEXT)));
    }
    fields.check()?;
    Ok(checked)
}
