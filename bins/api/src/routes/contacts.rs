//! A client's contacts: the list, and keeping them at the vendor.

use domain::{EntityId, Permission, RecordId};
use integration::ContactDraft;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{Fields, LINE, act, permitted},
    fleet::RecordPage,
    records::Contact,
    stored::{Ask, listed},
};
use crate::{app::AppData, auth::Caller, changes::Written, page::Answer, problem::Failure, write::Asked};

/// A contact to be made: with a name or an address at least.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ContactCreate {
    /// Under which of the client's entities: it says at which vendor
    pub entity_id: Uuid,
    /// Given name
    pub given_name: Option<String>,
    /// Family name
    pub family_name: Option<String>,
    /// E-mail
    pub email: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Mobile telephone
    pub mobile: Option<String>,
    /// Job title
    pub job_title: Option<String>,
    /// Where they work: one of the client's locations at the same entity
    pub location_id: Option<Uuid>,
}

/// What to change about a contact; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ContactUpdate {
    /// New given name
    pub given_name: Option<String>,
    /// New family name
    pub family_name: Option<String>,
    /// New e-mail
    pub email: Option<String>,
    /// New telephone
    pub phone: Option<String>,
    /// New mobile telephone
    pub mobile: Option<String>,
    /// New job title
    pub job_title: Option<String>,
    /// Where they work: one of the client's locations at the same entity
    pub location_id: Option<Uuid>,
    /// Whether they are in use
    pub active: Option<bool>,
}

/// Contacts of a client.
pub struct Contacts;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Contacts {
    /// A client's contacts
    #[oai(path = "/:client_id/contacts", method = "get", operation_id = "client_contact_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_contact_list(
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
    ) -> Result<Answer<RecordPage<Contact>>, Failure> {
        let ask = Ask { search: search.0, limit: limit.0, cursor: cursor.0 };
        listed(&app, caller, uri, client_id.0, ("contact", Permission::ServiceView), ask).await
    }

    /// Make a contact at the vendor
    ///
    /// It is sent once. When the vendor's answer does not come, the outcome is unknown: sync the connection
    /// before you try again.
    #[oai(path = "/:client_id/contacts", method = "post", operation_id = "contact_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn contact_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<ContactCreate>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Contact>>, Failure> {
        let context = permitted(&app, caller, Permission::ContactsEdit, "contact_create").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        if body.given_name.is_none() && body.family_name.is_none() && body.email.is_none() {
            fields.wrong("/given_name", "required", "must be given, or family_name, or email");
        }
        let draft = ContactDraft {
            given_name: fields.line("/given_name", body.given_name, LINE),
            family_name: fields.line("/family_name", body.family_name, LINE),
            email: fields.email("/email", body.email),
            phone: fields.line("/phone", body.phone, LINE),
            mobile: fields.line("/mobile", body.mobile, LINE),
            job_title: fields.line("/job_title", body.job_title, LINE),
            location_id: None,
            active: None,
        };
        fields.check()?;
        let location = body.location_id.map(RecordId);
        let made = sync::ContactCreate { entity: EntityId(body.entity_id), location, draft };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, made, asked, &request).await
    }

    /// Change a contact at the vendor
    ///
    /// It is refused where what is to be changed was changed at the vendor since the last sync.
    #[oai(path = "/:client_id/contacts/:contact_id", method = "patch", operation_id = "contact_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn contact_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        contact_id: Path<Uuid>,
        body: Json<ContactUpdate>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Contact>>, Failure> {
        let context = permitted(&app, caller, Permission::ContactsEdit, "contact_update").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let mut fields = Fields::default();
        let draft = ContactDraft {
            given_name: fields.line("/given_name", body.given_name, LINE),
            family_name: fields.line("/family_name", body.family_name, LINE),
            email: fields.email("/email", body.email),
            phone: fields.line("/phone", body.phone, LINE),
            mobile: fields.line("/mobile", body.mobile, LINE),
            job_title: fields.line("/job_title", body.job_title, LINE),
            location_id: None,
            active: body.active,
        };
        fields.check()?;
        let location = body.location_id.map(RecordId);
        let change = sync::ContactUpdate { id: RecordId(contact_id.0), location, draft };
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(&app, &context, client_id.0, change, asked, &request).await
    }

    /// Remove a contact at the vendor
    #[oai(path = "/:client_id/contacts/:contact_id", method = "delete", operation_id = "contact_remove")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn contact_remove(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        contact_id: Path<Uuid>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Contact>>, Failure> {
        let context = permitted(&app, caller, Permission::ContactsEdit, "contact_remove").await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        act(&app, &context, client_id.0, sync::ContactRemove { id: RecordId(contact_id.0) }, asked, "").await
    }
}
