//! Customers: the commercial face of clients, at the paths that the portal's pages give. A customer is a client: the ids
//! are the same.

use access::{ClientAccess, client_access_set};
use chrono::{DateTime, Utc};
use directory::{client_create, client_update, customer_delete, customer_get, customers_of};
use domain::{Archived, ClientDraft, ClientId, ClientPatch, Permission, SortOrder, StaffId};
use persistence::{ClientFilter, ClientSort};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    client_filter::ArchivedClients,
    clients::{Direction, Status},
    tenants::{Health, Tenant, can},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// The main point of contact: a name, an address, or both.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PrimaryContact {
    /// Name, where one of the customer's contacts is the primary one
    pub name: Option<String>,
    /// E-mail
    pub email: Option<String>,
}

/// What a PSA calls a customer.
#[derive(Debug, Clone, Object)]
pub struct PsaLink {
    /// Integration
    pub integration: String,
    /// Connection
    pub connection_id: Uuid,
    /// Entity that is mapped to the customer
    pub entity_id: Uuid,
    /// The PSA's id of it
    pub vendor_id: String,
    /// Its name there
    pub name: String,
}

/// Seats of all products, but for free ones without a limit.
#[derive(Debug, Clone, Object)]
pub struct CustomerLicences {
    /// Owned
    pub owned: i64,
    /// In use
    pub used: i64,
}

/// A customer.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Customer {
    /// Id: that of the client
    pub id: Uuid,
    /// Business name
    pub name: String,
    /// Main point of contact
    pub primary_contact: Option<PrimaryContact>,
    /// Number of Microsoft 365 tenants associated
    pub tenants: u64,
    /// Licensed users, summed over all tenants; absent while there is no tenant, or one whose users are unknown
    pub total_users: Option<i64>,
    /// Users without a licence, summed likewise
    pub unlicensed_users: Option<i64>,
    /// Licences, summed likewise; absent to those who may not see directory users
    pub licences: Option<CustomerLicences>,
    /// Secure score of the worst tenant, in percent; absent like `licences`
    pub secure_score: Option<f64>,
    pub health: Health,
    /// The id that the PSA has for it: of the first, where several PSAs are connected
    pub psa_id: Option<String>,
    /// What each PSA calls it
    pub psa: Vec<PsaLink>,
    pub status: Status,
    /// Integrations it is mapped to
    pub integrations: Vec<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Business address
    pub address: Option<String>,
    /// Internal notes
    pub notes: Option<String>,
    /// The oldest time of what its tenants' figures are made of; absent while one of them was never listed to the end
    pub synced_at: Option<DateTime<Utc>>,
    /// Whether one of these is too old, or its connection does not work
    pub stale: bool,
    /// When it was archived; absent while it is not
    pub archived_at: Option<DateTime<Utc>>,
    /// When the record was made
    pub created_at: DateTime<Utc>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl Customer {
    /// The view of a customer for a caller who may, or may not, see what is in directories.
    pub fn of(customer: &directory::Customer, directory: bool) -> Self {
        let (client, (name, email)) = (&customer.client, customer.contact.clone());
        let psa = customer.psa.iter().map(|entity| PsaLink {
            integration: entity.integration.clone(),
            connection_id: entity.connection_id.0,
            entity_id: entity.id.0,
            vendor_id: entity.vendor_id.clone(),
            name: entity.name.clone(),
        });
        Self {
            id: client.id.0,
            name: client.name.clone(),
            primary_contact: (name.is_some() || email.is_some()).then_some(PrimaryContact { name, email }),
            tenants: customer.tenants.len() as u64,
            total_users: customer.users(),
            unlicensed_users: customer.unlicensed(),
            licences: customer
                .licences()
                .filter(|_| directory)
                .map(|sum| CustomerLicences { owned: sum.owned, used: sum.used }),
            secure_score: customer.score().filter(|_| directory),
            health: customer.health().into(),
            psa_id: customer.psa.first().map(|entity| entity.vendor_id.clone()),
            psa: psa.collect(),
            status: client.status.into(),
            integrations: customer.integrations.clone(),
            phone: client.phone.clone(),
            address: client.address.clone(),
            notes: client.notes.clone(),
            synced_at: customer.synced_at(),
            stale: customer.stale(),
            archived_at: client.archived_at,
            created_at: client.created_at,
            updated_at: client.updated_at,
            version: client.version,
        }
    }
}

/// A customer with its tenants.
#[derive(Debug, Clone, Object)]
pub struct CustomerDetail {
    /// The customer
    pub customer: Customer,
    /// Its tenants, by name
    pub tenants: Vec<Tenant>,
}

/// All that is to stand in a customer's record.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct CustomerSave {
    /// Business name, 1 to 255 characters
    pub name: String,
    /// E-mail of the main point of contact
    pub primary_contact: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Business address
    pub address: Option<String>,
    /// Internal notes
    pub notes: Option<String>,
    pub status: Option<Status>,
}

/// Whether someone of the team is to see a customer.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CustomerAccess {
    /// Who
    pub staff_id: Uuid,
    /// Whether they are to see it
    pub sees: bool,
}

/// What it takes to make a customer.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct CustomerCreate {
    /// Business name, 1 to 255 characters
    pub name: String,
    /// E-mail of the main point of contact
    pub primary_contact: Option<String>,
    /// Telephone
    pub phone: Option<String>,
    /// Business address
    pub address: Option<String>,
    /// Internal notes
    pub notes: Option<String>,
    pub status: Option<Status>,
    /// Who of the team is to see it, and who is not; for all others what they may see decides: those who see every
    /// customer see this one, those who see certain ones do not. Takes the right to manage the team
    pub access: Option<Vec<CustomerAccess>>,
}

/// Whether a caller may see what is in directories.
pub(super) fn sees(tx: &persistence::Tx) -> bool {
    tx.context().permissions.allows(Permission::DirectoryView)
}

/// Order of customers
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum CustomerOrder {
    /// By name
    Name,
    /// By time of making
    CreatedAt,
}

/// Customers.
pub struct Customers;

#[OpenApi(prefix_path = "/api/msp-portal/customers", tag = "Chapter::Customers")]
impl Customers {
    /// All customers, with summary data
    ///
    /// Customers are the clients, with the same ids, as the business side sees them. Answers are those of this API: a
    /// list is `items`, `next_cursor` and `total`, paged by cursor (25 rows, at most 100), and what fails is a problem
    /// (RFC 9457), where other products have an envelope of `success`, `data` and `meta` with numbered pages. Health is
    /// that of the worst tenant (see `tenant_list`): critical or warning wherever that is known of one, else unknown
    /// while a tenant's figures are stale or there is none, else healthy.
    #[oai(path = "/", method = "get", operation_id = "customer_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Part of the name
        search: Query<Option<String>>,
        status: Query<Option<Status>>,
        /// `hidden` when left out
        archived: Query<Option<ArchivedClients>>,
        sort: Query<Option<CustomerOrder>>,
        direction: Query<Option<Direction>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Customer>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let filter = ClientFilter {
            search: search.0.filter(|text| !text.trim().is_empty()),
            status: status.0.map(Into::into),
            archived: match archived.0 {
                None | Some(ArchivedClients::Hidden) => Archived::Hidden,
                Some(ArchivedClients::Only) => Archived::Only,
                Some(ArchivedClients::Included) => Archived::Included,
            },
            ..ClientFilter::default()
        };
        let sort = match sort.0 {
            None | Some(CustomerOrder::Name) => ClientSort::Name,
            Some(CustomerOrder::CreatedAt) => ClientSort::Created,
        };
        let order = if direction.0 == Some(Direction::Desc) { SortOrder::Descending } else { SortOrder::Ascending };
        let tx = app.read(caller, Permission::ClientsView).await?;
        let listed = tx.client_list(&filter, sort, order, &page).await?;
        let (next, total) = (listed.next, listed.total);
        let customers = customers_of(&tx, listed.items, &can(&app)).await?;
        let directory = sees(&tx);
        let items = customers.iter().map(|one| Customer::of(one, directory)).collect();
        Ok(Answer::page(domain::Listed { items, next, total }, uri))
    }

    /// Make a customer record, and say who of the team sees it
    #[oai(path = "/", method = "post", operation_id = "customer_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<CustomerCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Customer>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let access: Vec<ClientAccess> = body.0.access.iter().flatten().map(ClientAccess::from).collect();
        // Who sees what is a right of people.
        let harmless = access.is_empty() || asked.is_dry_run();
        let context = app.proven(caller, "customer_create", harmless).await?;
        if !access.is_empty() {
            app.permit(&context, Permission::TeamManage, "customer_create").await?;
        }
        let begun = app.begin(&context, Permission::ClientsEdit, "customer_create", asked, &body.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let draft = ClientDraft {
            name: body.name,
            status: body.status.map(Into::into).unwrap_or_default(),
            notes: body.notes,
            contact_email: body.primary_contact,
            phone: body.phone,
            address: body.address,
        };
        let saved = client_create(&write.tx, draft, &[]).await.map_err(renamed)?;
        if !access.is_empty() {
            client_access_set(&write.tx, saved.client.id, &access).await?;
        }
        let customer = Customer::of(&customer_get(&write.tx, saved.client.id, &can(&app)).await?, sees(&write.tx));
        Ok(Answer::new(write.finish(Some(customer), warnings(&saved.same_name)).await?))
    }

    /// A customer's details, with the associated tenants
    #[oai(path = "/:customerId", method = "get", operation_id = "customer_get")]
    async fn customer_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
    ) -> Result<Answer<CustomerDetail>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let found = customer_get(&tx, ClientId(customer_id.0), &can(&app)).await?;
        let directory = sees(&tx);
        let customer = Customer::of(&found, directory);
        let tenants = found.tenants.into_iter().map(|tenant| Tenant::of(tenant, directory)).collect();
        let version = customer.version;
        Ok(Answer::versioned(CustomerDetail { customer, tenants }, version))
    }

    /// Update a customer's record
    ///
    /// Name, primary contact, telephone, address and notes are replaced: what is left out is emptied. The status stays
    /// where it is left out. `client_update` changes single fields.
    #[oai(path = "/:customerId", method = "put", operation_id = "customer_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        body: Json<CustomerSave>,
        /// ETag of the customer as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Customer>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = (customer_id.0, &body.0);
        let begun = app.begin(&context, Permission::ClientsEdit, "customer_update", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let patch = ClientPatch {
            name: Some(body.name),
            status: body.status.map(Into::into),
            notes: Some(body.notes),
            contact_email: Some(body.primary_contact),
            phone: Some(body.phone),
            address: Some(body.address),
        };
        let id = ClientId(customer_id.0);
        let saved = client_update(&write.tx, id, patch, version).await.map_err(renamed)?;
        let customer = Customer::of(&customer_get(&write.tx, id, &can(&app)).await?, sees(&write.tx));
        let version = customer.version;
        Ok(Answer::versioned(write.finish(Some(customer), warnings(&saved.same_name)).await?, version))
    }

    /// Delete a customer that has no associated tenants
    ///
    /// With tenants it is refused (409) and they are named. Other entities become unmapped, what vendors said stays, and
    /// for 30 days reverting the journal entry restores all of it.
    #[oai(path = "/:customerId", method = "delete", operation_id = "customer_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn customer_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        #[oai(name = "customerId")] customer_id: Path<Uuid>,
        /// ETag of the customer as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Customer>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let begun = app.begin(&context, Permission::ClientsDelete, "customer_delete", asked, &customer_id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        customer_delete(&write.tx, ClientId(customer_id.0), version, &can(&app)).await?;
        Ok(Answer::new(write.finish(None, Vec::new()).await?))
    }
}

impl From<&CustomerAccess> for ClientAccess {
    fn from(access: &CustomerAccess) -> Self {
        Self { staff: StaffId(access.staff_id), sees: access.sees }
    }
}

/// A mistake in a field of clients, in the words of customers.
fn renamed(error: domain::Error) -> domain::Error {
    let domain::Error::Invalid(mut problems) = error else { return error };
    for problem in &mut problems {
        if problem.pointer == "/contact_email" {
            problem.pointer = "/primary_contact".to_owned();
        }
    }
    domain::Error::Invalid(problems)
}

fn warnings(same_name: &[ClientId]) -> Vec<String> {
    same_name.iter().map(|id| format!("another customer has the same name: {id}")).collect()
}
