//! Whom the organisation believes about devices, where vendors say different things.

use std::collections::{BTreeMap, HashMap};

use directory::{
    Teller, device_precedence_check, device_precedence_effect, device_precedence_get, device_precedence_set,
};
use domain::{
    ConnectionId, Error, Permission, Problem,
    device::{DeviceField, DeviceOrder, usual},
};
use persistence::{DevicePrecedenceRow, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};

use super::{
    Chapter,
    device_fields::{DeviceFieldName, trade},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// The order that holds for a field.
#[derive(Debug, Clone, Object)]
pub struct FieldOrder {
    pub field: DeviceFieldName,
    /// Integrations that tell of devices, the most believed first. Those of one place stand in alphabetical order, and
    /// of them the newest is shown
    pub integrations: Vec<String>,
    /// Whether the organisation said so
    pub own: bool,
    /// Whether they all count the same, so that the newest is shown; of names, what most say
    pub none_first: bool,
}

/// Whom the organisation believes about devices.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DevicePrecedence {
    /// Integrations, the most believed first, for every field without an order of its own; empty for the usual order
    pub integrations: Vec<String>,
    /// The same for single fields; one that is empty says that none counts for more
    pub fields: BTreeMap<String, Vec<String>>,
    /// What follows from it for each field
    pub effective: Vec<FieldOrder>,
    /// How many devices show another value of anything by this change; absent where nothing was changed
    pub devices_affected: Option<u64>,
    /// Goes up with each change; also the ETag. 0 while the usual order holds
    pub version: i32,
}

/// Whom to believe, all of it: what is left out is the usual order.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DevicePrecedenceSet {
    /// Ids of integrations, the most believed first
    #[oai(default)]
    pub integrations: Vec<String>,
    /// The same for single fields, by their names; one that is empty says that none counts for more
    pub fields: Option<BTreeMap<String, Vec<String>>>,
}

/// Whom the organisation believes.
pub struct DevicePrecedenceApi;

#[OpenApi(prefix_path = "/api/organisation/device-precedence", tag = "Chapter::Mappings")]
impl DevicePrecedenceApi {
    /// Whom the organisation believes about devices
    #[oai(path = "/", method = "get", operation_id = "device_precedence_get")]
    async fn device_precedence_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<DevicePrecedence>, Failure> {
        let tx = app.read(caller, Permission::MatchingManage).await?;
        let row = device_precedence_get(&tx).await?;
        Ok(Answer::versioned(view(&app, &row, None), row.version))
    }

    /// Change whom the organisation believes about devices
    ///
    /// Holds at once for all that is shown of devices; their names, by which lists are sorted, follow within moments. A
    /// lock of a person comes before it. A preview counts the devices that would show something else.
    #[oai(path = "/", method = "put", operation_id = "device_precedence_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn device_precedence_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<DevicePrecedenceSet>,
        /// ETag of the order as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<DevicePrecedence>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let version = if_match(version.0.as_deref())?;
        let (permission, action) = (Permission::MatchingManage, "device_precedence_set");
        let request = (&body.0, version);
        app.permit(&context, permission, action).await?;
        if let Some(answer) = app.answered(&context, action, &asked, &request).await? {
            return Ok(Answer::new(answer));
        }
        let order = order(&body.0)?;
        let known = |integration: &str| app.can(integration, "device");
        device_precedence_check(&order, known)?;
        // Counted beside the write, which holds up others: at worst all devices of several observations are read.
        let affected = affected(&app, &app.read_as(&context, permission).await?, &order).await?;
        let write = match app.begin(&context, permission, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = device_precedence_set(&write.tx, order, version, known).await?;
        let item = view(&app, &row, Some(affected));
        let done = write.finish(Some(item), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(done, row.version))
    }
}

/// The order that a body asks for.
fn order(body: &DevicePrecedenceSet) -> domain::Result<DeviceOrder> {
    let mut order = DeviceOrder { all: body.integrations.clone(), fields: BTreeMap::new() };
    let mut problems = Vec::new();
    for (name, integrations) in body.fields.iter().flatten() {
        match DeviceField::parse(name) {
            Some(field) => drop(order.fields.insert(field, integrations.clone())),
            None => {
                let fields = DeviceField::ALL.map(DeviceField::as_str).join(", ");
                let pointer = format!("/fields/{}", name.replace('~', "~0").replace('/', "~1"));
                problems.push(Problem::new(pointer, "unknown_field", format!("must be one of {fields}")));
            }
        }
    }
    if problems.is_empty() { Ok(order) } else { Err(Error::Invalid(problems)) }
}

async fn affected(app: &App, tx: &Tx, order: &DeviceOrder) -> domain::Result<u64> {
    let tellers: HashMap<ConnectionId, Teller> = tx
        .connections()
        .await?
        .into_iter()
        .map(|one| (one.id, Teller { trade: trade(app, &one.integration), integration: one.integration }))
        .collect();
    device_precedence_effect(tx, order, |connection| tellers.get(&connection).cloned()).await
}

fn view(app: &App, row: &DevicePrecedenceRow, devices_affected: Option<u64>) -> DevicePrecedence {
    let told: Vec<&str> = app.entries.iter().map(|entry| entry.id).filter(|id| app.can(id, "device")).collect();
    let effective = DeviceField::ALL.into_iter().map(|field| {
        let own = row.order.of(field);
        let place = |id: &str| {
            let named = own.and_then(|order| order.iter().position(|other| other == id)).unwrap_or(usize::MAX);
            let same = own.is_some_and(<[String]>::is_empty);
            (named, if same { usize::MAX } else { usual(field, trade(app, id)) })
        };
        let mut integrations: Vec<&str> = told.clone();
        integrations.sort_by_key(|id| (place(id), *id));
        FieldOrder {
            field: DeviceFieldName::of(field),
            none_first: integrations.iter().all(|id| place(id) == (usize::MAX, usize::MAX)),
            integrations: integrations.into_iter().map(str::to_owned).collect(),
            own: own.is_some(),
        }
    });
    DevicePrecedence {
        integrations: row.order.all.clone(),
        fields: row.order.fields.iter().map(|(field, order)| (field.as_str().to_owned(), order.clone())).collect(),
        effective: effective.collect(),
        devices_affected,
        version: row.version,
    }
}
