//! Archiving, restoring and merging clients.

use directory::{Merge, Merged, MergedField, MergedPeople, client_archive, client_merge, client_restore};
use domain::{ClientId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    clients::{Client, view},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// A field that may be taken from the client that goes
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MergeField {
    /// Name
    Name,
    /// Whether it is active
    Status,
    /// Address of the main contact
    ContactEmail,
    /// Telephone
    Phone,
    /// Postal address
    Address,
}

/// Into which client, and which fields of the one that goes are right.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ClientMerge {
    /// The client that stays
    pub into: Uuid,
    /// Fields to be taken from the client that goes; blank ones of the other are filled in any case
    pub take: Option<Vec<MergeField>>,
}

/// What becomes of clients.
pub struct ClientLife;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl ClientLife {
    /// Archive a client
    ///
    /// Lists, counts and exports leave it out unless they are asked for it. Its data stays, and so do its mappings:
    /// what vendors say of it is still taken in.
    #[oai(path = "/:client_id/archive", method = "post", operation_id = "client_archive")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_archive(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// ETag of the client as you read it
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
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (client_id.0, version);
        let begun = app.begin(&context, Permission::ClientsDelete, "client_archive", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let client = client_archive(&write.tx, ClientId(client_id.0), version).await?;
        let item = view(&app, write.tx.client_listed(client.id).await?);
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, client.version))
    }

    /// Bring an archived client back
    #[oai(path = "/:client_id/restore", method = "post", operation_id = "client_restore")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_restore(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// ETag of the client as you read it
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
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (client_id.0, version);
        let begun = app.begin(&context, Permission::ClientsDelete, "client_restore", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let client = client_restore(&write.tx, ClientId(client_id.0), version).await?;
        let item = view(&app, write.tx.client_listed(client.id).await?);
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, client.version))
    }

    /// Merge a client into another
    ///
    /// Everything of it moves: mappings with devices, users and all else under them, ids typed by hand, shared
    /// connections, contacts, dated notes, documents and files, and its field of notes, which is put below the other's.
    /// So do its people: accounts of ClientOne with their devices and notifications (their sessions end), tickets, service
    /// requests, onboardings, and agreements as they were signed. An agreement or onboarding that both have under way
    /// ends for the one that goes. The set-up of ClientOne and the identity provider go along where the client that stays
    /// has none; two identity providers are a conflict. Then the client is deleted. Ask with `dry_run=true` first;
    /// reverting the journal entry makes two clients of them again, and names what was done since. The answer is the
    /// client that stays.
    #[oai(path = "/:client_id/merge", method = "post", operation_id = "client_merge")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_merge(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<ClientMerge>,
        /// ETag of the client that goes, as you read it
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
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (client_id.0, &body.0, version);
        let begun = app.begin(&context, Permission::ClientsDelete, "client_merge", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let merge = Merge {
            from: ClientId(client_id.0),
            into: ClientId(body.0.into),
            take: body.0.take.unwrap_or_default().into_iter().map(MergedField::from).collect(),
        };
        let merged = client_merge(&write.tx, &merge, version).await?;
        let warnings = warnings(&merged);
        let item = view(&app, write.tx.client_listed(merged.client.id).await?);
        Ok(Answer::versioned(write.finish(Some(item), warnings).await?, merged.client.version))
    }
}

/// What a person should know of a merge before it is done.
fn warnings(merged: &Merged) -> Vec<String> {
    let access = merged.access_differs.iter().map(|name| {
        format!("The access of {name} names one of the two clients only: look at what they see from now on.")
    });
    let MergedPeople { accounts, shut_out, superseded, cancelled } = merged.people;
    let people = [
        (accounts > 0, format!("{accounts} accounts of ClientOne move; whoever is signed in is signed out.")),
        (
            shut_out,
            "ClientOne is off for the client that stays: those people cannot sign in until it is on.".to_owned(),
        ),
        (
            superseded > 0,
            format!("{superseded} agreements no longer wait: the client that stays has the same version."),
        ),
        (cancelled > 0, format!("{cancelled} onboardings end: the client that stays has the same one under way.")),
    ];
    access.chain(people.into_iter().filter(|(holds, _)| *holds).map(|(_, said)| said)).collect()
}

impl From<MergeField> for MergedField {
    fn from(field: MergeField) -> Self {
        match field {
            MergeField::Name => Self::Name,
            MergeField::Status => Self::Status,
            MergeField::ContactEmail => Self::ContactEmail,
            MergeField::Phone => Self::Phone,
            MergeField::Address => Self::Address,
        }
    }
}
