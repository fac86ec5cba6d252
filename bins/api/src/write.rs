//! The one shape of a write: claim the idempotency key, run the operation, preview or commit.

use domain::{Context, Error, Grant, Outcome, Permission, PortalPermission, PortalSettings, Result};
use persistence::{Apply, Claim, Tx};
use poem_openapi::types::{ParseFromJSON, ToJSON};

use crate::{
    app::App,
    changes::{ChangeSet, Written},
};

/// What every write is asked with.
#[derive(Debug, Default)]
pub struct Asked {
    /// Preview only.
    pub dry_run: Option<bool>,
    /// Digest of the preview to be applied.
    pub expect: Option<String>,
    /// Why, for the journal.
    pub reason: Option<String>,
    /// Idempotency key.
    pub key: Option<String>,
}

impl Asked {
    /// Whether this is a preview.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run.unwrap_or(false)
    }
}

/// A write under way.
pub struct Write {
    /// The transaction.
    pub tx: Tx,
    action: &'static str,
    apply: Apply,
    key: Option<(String, String)>,
}

/// A write that begins, or the answer that its key had before.
pub enum Begun<T: ParseFromJSON + ToJSON + Send + Sync> {
    /// Do it.
    New(Box<Write>),
    /// It was done.
    Done(Written<T>),
}

impl App {
    /// Begins a write of the caller. `request` is all of it that matters (ids and body): the same
    /// key with another request is refused. A caller without the right leaves an entry.
    pub async fn begin<T>(
        &self,
        context: &Context,
        permission: Permission,
        action: &'static str,
        asked: Asked,
        request: &impl std::fmt::Debug,
    ) -> Result<Begun<T>>
    where
        T: ParseFromJSON + ToJSON + Send + Sync,
    {
        self.permit(context, permission, action).await?;
        self.begin_permitted(context, action, asked, request).await
    }

    /// The same for a portal user, where these settings hold. What belongs to a section that is off is not found.
    pub async fn begin_portal<T>(
        &self,
        context: &Context,
        permission: PortalPermission,
        settings: &PortalSettings,
        action: &'static str,
        asked: Asked,
        request: &impl std::fmt::Debug,
    ) -> Result<Begun<T>>
    where
        T: ParseFromJSON + ToJSON + Send + Sync,
    {
        if let Err(refused) = context.require_portal(permission, settings) {
            return Err(self.noted(context, action, refused).await?);
        }
        self.begin_permitted(context, action, asked, request).await
    }

    /// The same for somebody's own account, which takes no right.
    pub async fn begin_permitted<T>(
        &self,
        context: &Context,
        action: &'static str,
        asked: Asked,
        request: &impl std::fmt::Debug,
    ) -> Result<Begun<T>>
    where
        T: ParseFromJSON + ToJSON + Send + Sync,
    {
        let tx = self.store.begin(context.clone()).await?;
        let key = idempotency_key(asked.key.as_deref().filter(|_| !asked.is_dry_run()))?;
        let key = key.map(|key| (caller_name(context), key));
        if let Some((caller, key)) = &key {
            let whole = whole(action, request, &asked);
            if let Claim::Done { answer, .. } = tx.idempotency_claim(caller, key, whole.as_bytes()).await? {
                let answer =
                    Written::parse_from_json_string(&answer).map_err(|why| Error::internal(why.into_message()))?;
                return Ok(Begun::Done(answer));
            }
        }
        let apply = Apply { dry_run: asked.is_dry_run(), expect: asked.expect, reason: asked.reason };
        Ok(Begun::New(Box::new(Write { tx, action, apply, key })))
    }

    /// The answer that the request's key had before, for a write that asks a vendor before it begins: what was done
    /// is answered again without asking.
    pub async fn answered<T>(
        &self,
        context: &Context,
        action: &'static str,
        asked: &Asked,
        request: &impl std::fmt::Debug,
    ) -> Result<Option<Written<T>>>
    where
        T: ParseFromJSON + ToJSON + Send + Sync,
    {
        let Some(key) = idempotency_key(asked.key.as_deref().filter(|_| !asked.is_dry_run()))? else { return Ok(None) };
        let tx = self.store.read(context.clone()).await?;
        let whole = whole(action, request, asked);
        let answer = tx.idempotency_answered(&caller_name(context), &key, whole.as_bytes()).await?;
        let read = |answer: String| {
            Written::parse_from_json_string(&answer).map_err(|why| Error::internal(why.into_message()))
        };
        answer.map(read).transpose()
    }

    /// Refuses a caller without the right; the attempt goes into the journal.
    pub async fn permit(&self, context: &Context, permission: Permission, action: &str) -> Result<()> {
        let refused = match context.require(permission) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        if asks(context, permission) {
            return Err(refused);
        }
        self.note_denied(context, permission.as_str(), action).await?;
        Err(refused)
    }

    /// The same for a portal user.
    pub async fn permit_portal(
        &self,
        context: &Context,
        permission: PortalPermission,
        settings: &PortalSettings,
        action: &str,
    ) -> Result<()> {
        match context.require_portal(permission, settings) {
            Ok(_) => Ok(()),
            Err(refused) => Err(self.noted(context, action, refused).await?),
        }
    }

    /// The same over one vendor: some rights hold for billing vendors only.
    pub async fn permit_for(
        &self,
        context: &Context,
        permission: Permission,
        action: &str,
        integration: &str,
    ) -> Result<()> {
        self.permit(context, permission, action).await?;
        if let Err(refused) = self.permit_vendor(context, permission, integration) {
            if asks(context, permission) {
                return Err(refused);
            }
            self.note_denied(context, permission.as_str(), action).await?;
            return Err(refused);
        }
        Ok(())
    }

    /// The same error again; where it is a refusal that showed only on the way, with an entry in the journal. The
    /// transaction that met it has ended.
    async fn noted(&self, context: &Context, action: &str, error: Error) -> Result<Error> {
        match &error {
            Error::Forbidden { permission } if asks(context, *permission) => {}
            Error::Forbidden { permission } => self.note_denied(context, permission.as_str(), action).await?,
            Error::PortalForbidden { permission } => self.note_denied(context, permission.as_str(), action).await?,
            _ => {}
        }
        Ok(error)
    }

    /// What a step of a write gave. A refusal that showed only there ends the write and leaves an entry.
    pub async fn passed<T>(&self, write: Box<Write>, done: Result<T>) -> Result<(Box<Write>, T)> {
        match done {
            Ok(item) => Ok((write, item)),
            Err(refused) => {
                let (context, action) = (write.tx.context().clone(), write.action);
                drop(write);
                Err(self.noted(&context, action, refused).await?)
            }
        }
    }

    /// Leaves an entry that says what was refused for want of which right.
    pub async fn note_denied(&self, context: &Context, permission: &str, action: &str) -> Result<()> {
        let tx = self.store.begin(context.clone()).await?;
        tx.commit_attempt(action, Outcome::Denied, permission).await
    }
}

/// Whether the caller has this right with approval: what is refused for want of it is asked for instead (`asking.rs`).
fn asks(context: &Context, permission: Permission) -> bool {
    context.permissions.grant(permission) == Grant::Approval
}

/// All of a request that matters: its key is for this and nothing else.
fn whole(action: &str, request: &impl std::fmt::Debug, asked: &Asked) -> String {
    format!("{action} {request:?} {:?}", asked.expect)
}

/// The key that a header carries: trimmed, at most 200 characters.
pub fn idempotency_key(header: Option<&str>) -> Result<Option<String>> {
    match header.map(str::trim) {
        None | Some("") => Ok(None),
        Some(key) if key.len() > 200 => {
            Err(Error::invalid("Idempotency-Key", "too_long", "must have at most 200 characters"))
        }
        Some(key) => Ok(Some(key.to_owned())),
    }
}

/// Whose keys they are: two callers may use the same.
pub fn caller_name(context: &Context) -> String {
    let actor = match context.actor {
        domain::Actor::Staff { id } => format!("staff:{id}"),
        domain::Actor::ApiKey { id, .. } => format!("api_key:{id}"),
        domain::Actor::PortalUser { id } => format!("portal_user:{id}"),
        domain::Actor::ServiceAccount { id } => format!("service_account:{id}"),
        domain::Actor::Worker => "worker".to_owned(),
        domain::Actor::Operator => "operator".to_owned(),
    };
    // Done for one customer it is another request than done for another.
    context.acted_for.map_or(actor.clone(), |client| format!("{actor} for {client}"))
}

impl Write {
    /// Ends the write as asked, and answers. The answer is kept with the key in the same transaction.
    pub async fn finish<T>(self, item: Option<T>, warnings: Vec<String>) -> Result<Written<T>>
    where
        T: ParseFromJSON + ToJSON + Send + Sync,
    {
        let portal = self.tx.context().permissions.portal_role().is_some();
        let shown = |set, dry_run| {
            let set = ChangeSet::of(set, dry_run);
            if portal { set.counted() } else { set }
        };
        let Some((caller, key)) = &self.key else {
            let dry_run = self.apply.dry_run;
            let set = self.tx.finish(self.action, &self.apply).await?;
            return Ok(Written { item, warnings, change_set: shown(set, dry_run) });
        };
        let planned = self.tx.change_set();
        if self.apply.expect.as_ref().is_some_and(|expected| *expected != planned.digest) {
            return Err(Error::Moved(Box::new(planned)));
        }
        // The entry is written first, so that the kept answer names it.
        let mut set = planned;
        set.entry = self.tx.journal_note(self.action, self.apply.reason.as_deref()).await?;
        let answer = Written { item, warnings, change_set: shown(set, false) };
        self.tx.idempotency_answer(caller, key, 200, answer.to_json_string()).await?;
        self.tx.commit_noted().await?;
        Ok(answer)
    }
}
