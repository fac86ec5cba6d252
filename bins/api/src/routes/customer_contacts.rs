//! Contacts of a customer that the MSP keeps itself, and the customer's log of activity.

use chrono::{DateTime, Utc};
use directory::{ContactDraft, customer_contact_create, customer_contact_delete, customer_contact_update};
use domain::{ClientContactId, ClientId, Outcome, Permission};
use persistence::JournalFilter;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    journal::{Entry, EntryOutcome, view},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// A contact that the MSP keeps.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CustomerContact {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// E-mail
    pub email: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Job title
    pub title: Option<String>,
    /// Place in the order in which they are called, from 1; absent for those who are not
    pub escalation: Option<i32>,
    /// Whether this is the customer's primary contact
    pub primary: bool,
    /// When it was made
    pub created_at: DateTime<Utc>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl From<domain::ClientContact> for CustomerContact {
    fn from(contact: domain::ClientContact) -> Self {
        Self {
            id: contact.id.0,
            name: contact.name,
            email: contact.email,
            phone: contact.phone,
            title: contact.title,
            escalation: contact.escalation,
            primary: contact.primary,
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
        }
    }
}

/// A customer's contacts.
#[derive(Debug, Clone, Object)]
pub struct CustomerContactList {
    /// Those who are called, in that order, then the others by name
    pub items: Vec<CustomerContact>,
}

/// All that is to stand in a contact.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct CustomerContactSave {
    /// Name, 1 to 255 characters
    pub name: String,
    /// E-mail
    pub email: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Job title
    pub title: Option<String>,
    /// Place in the order in which they are called, 1 to 99
    pub escalation: Option<i32>,
    /// Whether this is the customer's primary contact: it takes that from whoever was, and its address becomes the
    /// customer's
    pub primary: Option<bool>,
}

impl From<CustomerContactSave> for ContactDraft {
    fn from(body: CustomerContactSave) -> Self {
        Self {
            name: body.name,
            email: body.email,
            phone: body.phone,
            title: body.title,
            escalation: body.escalation,
            primary: body.primary.unwrap_or(false),
        }
    }
}

/// Contacts and activity of customers.
pub struct CustomerContacts;

#[OpenApi(prefix_path = "/api/msp-portal/customers", tag = "Chapter::Customers")]
impl CustomerContacts {
    /// The contacts of a customer that the MSP keeps
    ///
    /// For escalation, beyond what vendors tell: those are in `client_contact_list`.
    #[oai(path = "/:customerId/contacts", method = "get", operation_id = "customer_contact_list")]
    async fn customer_contact_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
    ) -> Result<Answer<CustomerContactList>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let client = tx.client(ClientId(customer_id.0)).await?.id;
        let items = tx.client_contacts(client).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(CustomerContactList { items }))
    }

    /// Keep a contact of a customer
    #[oai(path = "/:customerId/contacts", method = "post", operation_id = "customer_contact_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_contact_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        body: Json<CustomerContactSave>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CustomerContact>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (customer_id.0, &body.0);
        let begun = app.begin(&context, Permission::ContactsEdit, "customer_contact_create", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let contact = customer_contact_create(&write.tx, ClientId(customer_id.0), body.0.into()).await?;
        Ok(Answer::new(write.finish(Some(contact.into()), Vec::new()).await?))
    }

    /// Replace what stands in a contact; what is left out is emptied
    #[oai(path = "/:customerId/contacts/:contactId", method = "put", operation_id = "customer_contact_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_contact_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        #[oai(name = "contactId")] contact_id: Path<Uuid>,
        body: Json<CustomerContactSave>,
        /// ETag of the contact as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<CustomerContact>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = (customer_id.0, contact_id.0, &body.0);
        let begun = app.begin(&context, Permission::ContactsEdit, "customer_contact_update", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let (client, id) = (ClientId(customer_id.0), ClientContactId(contact_id.0));
        let contact = customer_contact_update(&write.tx, client, id, body.0.into(), version).await?;
        let version = contact.version;
        Ok(Answer::versioned(write.finish(Some(contact.into()), Vec::new()).await?, version))
    }

    /// Forget a contact; the customer's own address stays as it is
    #[oai(path = "/:customerId/contacts/:contactId", method = "delete", operation_id = "customer_contact_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_contact_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        #[oai(name = "contactId")] contact_id: Path<Uuid>,
        /// ETag of the contact as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<CustomerContact>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (client, id) = (ClientId(customer_id.0), ClientContactId(contact_id.0));
        let begun =
            app.begin(&context, Permission::ContactsEdit, "customer_contact_delete", asked, &(client, id)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = customer_contact_delete(&write.tx, client, id, version).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }

    /// A customer's log of activity: every entry of the journal that touched it or its tenants, the newest first
    #[oai(path = "/:customerId/activity", method = "get", operation_id = "customer_activity_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_activity_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        /// Only from this instant on
        since: Query<Option<DateTime<Utc>>>,
        /// Only before this instant
        until: Query<Option<DateTime<Utc>>>,
        /// Only this action
        action: Query<Option<String>>,
        outcome: Query<Option<EntryOutcome>>,
        /// Only by this staff user or key
        actor_id: Query<Option<Uuid>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Entry>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::JournalView).await?;
        // What became of a deleted customer is told, too.
        let client = tx.client_even_deleted(ClientId(customer_id.0)).await?.id;
        let filter = JournalFilter {
            client: Some(client),
            action: action.0,
            outcome: outcome.0.map(|outcome| match outcome {
                EntryOutcome::Done => Outcome::Done,
                EntryOutcome::Denied => Outcome::Denied,
                EntryOutcome::Failed => Outcome::Failed,
            }),
            actor: actor_id.0,
            since: since.0,
            until: until.0,
            ..JournalFilter::default()
        };
        Ok(Answer::page(tx.journal_list(&filter, &page).await?.map(|entry| view(entry, false)), uri))
    }
}
