//! Consent at a vendor's own page: a person is sent there, comes back with a code, and the grant that it is
//! exchanged for is tried, sealed and used.
//!
//! What comes back is taken only once, within ten minutes, and only in the session that it was begun in:
//! otherwise somebody could be made to connect another's account.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{
    Chance, Connection, ConnectionId, ConnectionState, Context, Error, Outcome, Permission, Result, SessionId,
    Timestamp,
};
use integration::{ConsentAnswer, ConsentAsk, Grant, Kind, Secret, oauth};
use persistence::ConsentRow;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    Engine,
    check::{check, wants_consent},
    connections::{begin_syncing, permitted},
    grants::{FreshGrant, Granting, with_grant},
    trouble::{vendor_code, vendor_error},
};

/// How long a person may take at the vendor's page.
pub const CONSENT_LASTS: TimeDelta = TimeDelta::minutes(10);

/// The longest that the exchange of a code may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What this does is called so in the journal.
const ACTION: &str = "connection_consent";

/// A consent that was begun.
#[derive(Clone, Debug)]
pub struct ConsentBegun {
    /// The vendor's page.
    pub url: String,
    /// Until when the person must be back.
    pub expires_at: Timestamp,
}

/// A consent that came back, taken: nobody else can use it any more.
pub struct ConsentTaken {
    row: ConsentRow,
    verifier: Secret,
    /// The connection as it was begun for.
    pub connection: Connection,
    /// The vendor's name.
    pub vendor: &'static str,
}

/// 32 random bytes, as they stand in an address.
fn random(chance: &dyn Chance) -> String {
    let mut bytes = [0; 32];
    chance.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Why a connection without a grant is a draft.
pub(crate) fn waiting(vendor: &str) -> String {
    format!("Consent is missing: start it, and sign in at {vendor}'s page.")
}

impl Engine {
    /// Sends a signed-in person to the vendor's page; `redirect_uri` is where they come back to.
    pub async fn consent_start(
        &self,
        context: &Context,
        session: SessionId,
        id: ConnectionId,
        redirect_uri: &str,
    ) -> Result<ConsentBegun> {
        let Some(staff_id) = context.actor.staff() else { return Err(Error::Unauthenticated) };
        let tx = self.store.begin(context.clone()).await?;
        let connection = tx.connection(id).await?;
        permitted(context, self.entries, &connection, Permission::ConnectionsManage)?;
        let entry = self.entry(&connection.integration)?;
        let credentials = tx.connection_credentials(id).await?;
        if wants_consent(entry, &credentials).is_none() {
            return Err(Error::conflict(
                "no_consent",
                format!("{} is connected by its credentials alone: there is nothing to consent to.", entry.name),
            ));
        }
        let connector =
            self.connect(tx.organisation(), &connection, &credentials, true).map_err(|error| vendor_error(&error))?;
        let consent = connector.consent().ok_or_else(|| Error::internal("a grant without a page that gives it"))?;
        let chance = self.store.chance().as_ref();
        let (state, verifier) = (random(chance), random(chance));
        let challenge = oauth::challenge(&verifier);
        let url = consent.page(&ConsentAsk { redirect_uri, state: &state, code_challenge: &challenge });
        let row = ConsentRow {
            id: tx.new_id(),
            connection_id: id,
            staff_id,
            session_id: session,
            state_hash: Sha256::digest(state.as_bytes()).to_vec(),
            redirect_uri: redirect_uri.to_owned(),
            credentials_version: connection.credentials_version,
            created_at: tx.now(),
            expires_at: tx.now() + CONSENT_LASTS,
        };
        tx.consent_insert(&row, &verifier).await?;
        tx.commit_unjournalled().await?;
        Ok(ConsentBegun { url: url.into(), expires_at: row.expires_at })
    }

    /// Takes the consent of this state, which came back in this session. Whatever is wrong with it, it cannot
    /// be used again.
    pub async fn consent_take(&self, context: &Context, session: SessionId, state: &str) -> Result<ConsentTaken> {
        let tx = self.store.begin(context.clone()).await?;
        let Some((row, verifier)) = tx.consent_take(&Sha256::digest(state.as_bytes())).await? else {
            return Err(Error::conflict(
                "consent_unknown",
                "This consent was used already, replaced by a newer one, or not begun here. Start it again.",
            ));
        };
        let connection = tx.connection(row.connection_id).await?;
        if row.session_id != session || Some(row.staff_id) != context.actor.staff() {
            tx.commit_attempt(ACTION, Outcome::Denied, "it came back in another session").await?;
            return Err(Error::conflict(
                "consent_foreign",
                "This consent was begun by somebody else, or in another session. Start it again in this one.",
            ));
        }
        if row.expires_at <= tx.now() {
            tx.commit_attempt(ACTION, Outcome::Failed, "it came back too late").await?;
            return Err(Error::conflict("consent_expired", "This took longer than ten minutes. Start it again."));
        }
        let entry = self.entry(&connection.integration)?;
        tx.commit_unjournalled().await?;
        Ok(ConsentTaken { row, verifier: Secret::new(verifier), connection, vendor: entry.name })
    }

    /// Notes that the vendor said no instead of giving a code.
    pub async fn consent_declined(&self, context: &Context, taken: &ConsentTaken, words: &str) -> Result<()> {
        self.consent_failed(context, &format!("{} answered: {words}", taken.vendor)).await
    }

    /// Exchanges the code, tries what it gives, and connects: sealed, journalled, and its first sync enqueued, in
    /// one transaction. If anything fails, the connection stays as it was.
    pub async fn consent_finish(
        &self,
        context: &Context,
        taken: ConsentTaken,
        code: Secret,
        query: BTreeMap<String, String>,
    ) -> Result<Connection> {
        match self.consented(context, taken, code, query).await {
            Err(Failed::Vendor(error)) => {
                self.consent_failed(context, vendor_code(error.kind)).await?;
                Err(vendor_error(&error))
            }
            Err(Failed::Here(error)) => Err(error),
            Ok(connection) => Ok(connection),
        }
    }

    async fn consented(
        &self,
        context: &Context,
        taken: ConsentTaken,
        code: Secret,
        query: BTreeMap<String, String>,
    ) -> Result<Connection, Failed> {
        let ConsentTaken { row, verifier, connection, vendor } = taken;
        let id = connection.id;
        permitted(context, self.entries, &connection, Permission::ConnectionsManage)?;
        let tx = self.store.begin(context.clone()).await?;
        let credentials = unchanged(tx.connection(id).await?, &row, tx.connection_credentials(id).await?)?.1;
        tx.rollback().await?;
        let connector = self.connect(context.organisation, &connection, &credentials, true)?;
        let consent = connector.consent().ok_or_else(|| Error::internal("a grant without a page that gives it"))?;
        let answer = ConsentAnswer { code, verifier, redirect_uri: row.redirect_uri.clone(), query };
        let grant = tokio::time::timeout(PATIENCE, consent.exchange(&answer)).await.unwrap_or_else(|_| {
            let message =
                format!("{vendor} did not answer within {} seconds: start the consent anew", PATIENCE.as_secs());
            Err(integration::Error::new(Kind::Unavailable, message))
        })?;
        let (newest, checked) = self.consent_try(&connection, &credentials, grant).await?;
        let tx = self.store.begin(context.clone()).await?;
        let (before, credentials) = unchanged(tx.connection(id).await?, &row, tx.connection_credentials(id).await?)?;
        let field = self.entry(&before.integration)?.consent_field().unwrap_or_default();
        tx.connection_seal(id, &with_grant(credentials, field, &newest)).await?;
        let after = Connection {
            state: ConnectionState::Connected,
            state_reason: None,
            account: checked.account.or_else(|| before.account.clone()),
            credentials_version: before.credentials_version + 1,
            ..before.clone()
        };
        let after = tx.connection_update(&before, after).await?;
        begin_syncing(&tx, &after).await?;
        tx.commit(ACTION, None).await?;
        Ok(after)
    }

    /// Tries a grant that is not stored yet; also the newest form of it, should it have been renewed.
    async fn consent_try(
        &self,
        connection: &Connection,
        credentials: &Value,
        grant: Grant,
    ) -> Result<(Grant, integration::Checked), Failed> {
        let entry = self.entry(&connection.integration)?;
        let values = with_grant(credentials.clone(), entry.consent_field().unwrap_or_default(), &grant);
        let fresh = Arc::new(FreshGrant::new(grant));
        let inner = self.dial.transport(connection.id, true);
        let none = Map::new();
        let connector = entry
            .connect(values.as_object().unwrap_or(&none), Arc::new(Granting { inner, grants: fresh.clone() }))
            .map_err(|_| Error::internal("a fresh grant does not build a connector"))?;
        let checked = check(connector.as_ref(), entry.name).await?;
        Ok((fresh.newest().await, checked))
    }

    async fn consent_failed(&self, context: &Context, why: &str) -> Result<()> {
        let tx = self.store.begin(context.clone()).await?;
        tx.commit_attempt(ACTION, Outcome::Failed, why).await
    }
}

/// Refuses if the credentials are others than those that the page was made of.
fn unchanged(connection: Connection, row: &ConsentRow, credentials: Value) -> Result<(Connection, Value)> {
    if connection.credentials_version == row.credentials_version {
        return Ok((connection, credentials));
    }
    Err(Error::conflict(
        "consent_outdated",
        "The connection's credentials were changed meanwhile. Start the consent again.",
    ))
}

/// Who failed.
enum Failed {
    Vendor(integration::Error),
    Here(Error),
}

impl From<integration::Error> for Failed {
    fn from(error: integration::Error) -> Self {
        Self::Vendor(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Here(error)
    }
}
