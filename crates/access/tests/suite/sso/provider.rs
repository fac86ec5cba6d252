//! The identity provider of these tests, what it takes to sign in through it, and what must not have been made.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use access::{
    NewSsoProvider, Outside, OutsideAnswer, OutsideRequest, Sso, SsoAsk, SsoBegun, SsoDone, SsoReturn, sso_finish,
    sso_start,
};
use domain::{
    Account, Client, ClientId, ClientStatus, Error, PortalAuthMode, PortalConfig, PortalRole, SsoAudience, SsoKind,
    SsoLink, SsoProvider,
};
use openidconnect::url::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{IdentityKey, TestDb, discovery};

use crate::house::{House, request};

pub const ISSUER: &str = "https://id.quay.example";
pub const APP: &str = "panelone-app";
pub const SECRET: &str = "s3cret of the app: +/%";
pub const BACK: &str = "https://kite.example/sso/callback";
pub const TENANT: &str = "0b0b0b0b-1111-4222-8333-444444444444";
pub const OTHER_TENANT: &str = "0c0c0c0c-1111-4222-8333-444444444444";
pub const AUTHORITY: &str = "https://login.microsoftonline.com";
pub const SUBJECT: &str = "the right subject";

/// What the provider says next, and what it was asked.
pub struct Says {
    pub discovery: BTreeMap<String, Value>,
    pub keys: Value,
    pub token: OutsideAnswer,
    pub asked: Vec<String>,
    pub forms: Vec<(BTreeMap<String, String>, Option<String>)>,
    pub away: bool,
}

/// The provider: reached without a network.
pub struct Provider {
    says: Mutex<Says>,
    pub key: IdentityKey,
    pub other_key: IdentityKey,
}

impl Provider {
    pub fn new() -> Arc<Self> {
        let (key, other_key) = (IdentityKey::new("first", 7), IdentityKey::new("other", 9));
        let entra = discovery(&format!("{AUTHORITY}/{{tenantid}}/v2.0"), AUTHORITY);
        let documents = BTreeMap::from([
            (format!("{ISSUER}/.well-known/openid-configuration"), discovery(ISSUER, ISSUER)),
            (format!("{AUTHORITY}/organizations/v2.0/.well-known/openid-configuration"), entra),
        ]);
        let says = Says {
            discovery: documents,
            keys: json!({ "keys": [key.public()] }),
            token: OutsideAnswer { status: 400, body: br#"{"error":"invalid_grant"}"#.to_vec() },
            asked: Vec::new(),
            forms: Vec::new(),
            away: false,
        };
        Arc::new(Self { says: Mutex::new(says), key, other_key })
    }

    pub fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().expect("no test panicked while it asked")
    }

    /// Gives this ID token next.
    pub fn gives(&self, token: &str) {
        let body = json!({ "access_token": "nothing", "token_type": "Bearer", "id_token": token });
        self.says().token = OutsideAnswer { status: 200, body: body.to_string().into_bytes() };
    }

    pub fn times_asked(&self, end: &str) -> usize {
        self.says().asked.iter().filter(|address| address.ends_with(end)).count()
    }
}

#[async_trait::async_trait]
impl Outside for Provider {
    async fn send(&self, request: OutsideRequest) -> Result<OutsideAnswer, String> {
        let mut says = self.says();
        let address = request.url.to_string();
        says.asked.push(address.clone());
        if says.away {
            return Err("the name is not known".to_owned());
        }
        if let Some(form) = request.form {
            says.forms.push((form.into_iter().collect(), request.authorization));
            return Ok(says.token.clone());
        }
        let found = if address.ends_with("/keys") { Some(&says.keys) } else { says.discovery.get(&address) };
        Ok(match found {
            Some(document) => OutsideAnswer { status: 200, body: document.to_string().into_bytes() },
            None => OutsideAnswer { status: 404, body: Vec::new() },
        })
    }
}

/// An organisation with a provider to sign in through.
pub struct Stage<'a> {
    pub db: &'a TestDb,
    pub house: House,
    pub provider: Arc<Provider>,
    pub sso: Sso,
}

/// Somebody on the way: what their browser has, and what the provider was told.
pub struct Traveller {
    pub begun: SsoBegun,
    pub query: BTreeMap<String, String>,
}

impl Traveller {
    pub fn state(&self) -> String {
        self.query["state"].clone()
    }
}

pub fn oidc(audience: SsoAudience, client: Option<ClientId>) -> NewSsoProvider {
    NewSsoProvider {
        audience,
        client,
        name: "Quay ID".to_owned(),
        kind: SsoKind::Oidc,
        issuer: Some(ISSUER.to_owned()),
        app_id: APP.to_owned(),
        secret: SECRET.into(),
        enabled: true,
        tenants: Default::default(),
        domains: client.map(|_| "quay.example".to_owned()).into_iter().collect(),
        just_in_time: false,
        trusts_mfa: false,
    }
}

pub fn entra(audience: SsoAudience, client: Option<ClientId>) -> NewSsoProvider {
    NewSsoProvider { kind: SsoKind::Entra, issuer: None, tenants: [TENANT.to_owned()].into(), ..oidc(audience, client) }
}

impl<'a> Stage<'a> {
    pub async fn build(db: &'a TestDb) -> Self {
        let (house, provider) = (House::build(db).await, Provider::new());
        Self { db, house, sso: Sso::new(provider.clone()), provider }
    }

    pub async fn set_up(&self, new: NewSsoProvider) -> SsoProvider {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let made = access::sso_provider_create(&tx, new).await.expect("sets up");
        tx.commit("sso_provider_create", None).await.expect("commits");
        made
    }

    pub async fn change(&self, id: domain::SsoProviderId, patch: access::SsoPatch) -> SsoProvider {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let after = access::sso_provider_update(&tx, id, patch).await.expect("changes");
        tx.commit("sso_provider_update", None).await.expect("commits");
        after
    }

    /// A client for which ClientOne is on, in this way of signing in.
    pub async fn client(&self, name: &str, mode: PortalAuthMode) -> ClientId {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let client = Client {
            id: tx.new_id(),
            name: name.to_owned(),
            status: ClientStatus::Active,
            notes: None,
            contact_email: None,
            phone: None,
            address: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            archived_at: None,
            deleted_at: None,
            version: 1,
            device_count: 0,
            user_count: 0,
            tags: Default::default(),
        };
        tx.client_insert(&client).await.expect("makes");
        tx.commit("client_create", None).await.expect("commits");
        self.mode(client.id, mode).await;
        client.id
    }

    pub async fn mode(&self, client: ClientId, mode: PortalAuthMode) {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let before = tx.portal_config(client).await.expect("reads");
        let mut after = PortalConfig { enabled: true, ..before.clone() };
        after.settings.auth_mode = mode;
        tx.portal_config_save(&before, after).await.expect("writes");
        tx.commit("clientone_update", None).await.expect("commits");
    }

    /// Links an account to an identity without asking anybody.
    pub async fn link(
        &self,
        provider: &SsoProvider,
        account: Account,
        client: Option<ClientId>,
        subject: &str,
    ) -> SsoLink {
        let tenant = (provider.kind == SsoKind::Entra).then(|| TENANT.to_owned());
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let link = SsoLink {
            id: tx.new_id(),
            provider_id: provider.id,
            account,
            client_id: client,
            issuer: provider.issuer_of(tenant.as_deref()).expect("an issuer"),
            tenant,
            subject: subject.to_owned(),
            created_at: tx.now(),
        };
        tx.sso_link_insert(&link).await.expect("links");
        tx.commit("sso_link_create", None).await.expect("commits");
        link
    }

    /// Someone of a client, with a password.
    pub async fn member(&self, client: ClientId, email: &str) -> persistence::PortalUserRow {
        let tx = self.house.store.begin(self.house.operator()).await.expect("begins");
        let row = persistence::PortalUserRow {
            organisation: self.house.organisation,
            id: tx.new_id(),
            client_id: client,
            email: email.to_owned(),
            name: "Pat Quay".to_owned(),
            phone: None,
            role: PortalRole::User,
            state: domain::PortalState::Active,
            // The same password as the owner of the house.
            password_hash: self.house.owner.password_hash.clone(),
            link_hash: None,
            link_made_at: None,
            accepted_at: Some(tx.now()),
            deactivated_at: None,
            signed_in_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.portal_user_insert(&row).await.expect("makes");
        tx.commit("portal_user_invite", None).await.expect("commits");
        row
    }

    pub fn ask(&self, audience: SsoAudience, email: Option<&str>) -> SsoAsk {
        SsoAsk {
            audience,
            organisation: "kite".to_owned(),
            email: email.map(str::to_owned),
            invitation: None,
            redirect_uri: BACK.to_owned(),
            request: request("192.0.2.1"),
        }
    }

    pub async fn start(&self, ask: SsoAsk) -> Result<Traveller, Error> {
        let begun = sso_start(&self.house.store, &self.house.gate, &self.sso, ask).await?;
        Ok(self.traveller(begun))
    }

    pub fn traveller(&self, begun: SsoBegun) -> Traveller {
        let url = Url::parse(&begun.url).expect("an address");
        Traveller { query: url.query_pairs().into_owned().collect(), begun }
    }

    /// The claims of somebody who came this way, all right.
    pub fn claims(&self, traveller: &Traveller, subject: &str) -> Value {
        let now = self.db.now().timestamp();
        json!({
            "iss": ISSUER, "aud": APP, "sub": subject, "nonce": traveller.query["nonce"], "iat": now, "exp": now + 300,
            "email": "nova@quay.example", "email_verified": true, "name": "Nova Quay",
        })
    }

    pub fn entra_claims(&self, traveller: &Traveller, subject: &str) -> Value {
        let mut claims = self.claims(traveller, subject);
        claims["iss"] = format!("{AUTHORITY}/{TENANT}/v2.0").into();
        claims["tid"] = TENANT.into();
        claims["preferred_username"] = "nova@quay.example".into();
        claims["email"] = "boss@quay.example".into();
        claims
    }

    pub fn back(&self, audience: SsoAudience, traveller: &Traveller, address: &str) -> SsoReturn {
        SsoReturn {
            audience,
            state: traveller.state(),
            browser: Some(traveller.begun.browser.clone()),
            code: Some(SecretString::from("the-code".to_owned())),
            failed: None,
            issuer: None,
            session: None,
            user_agent: Some("Browser 7".to_owned()),
            request: request(address),
        }
    }

    pub async fn finish(&self, back: SsoReturn) -> Result<SsoDone, Error> {
        sso_finish(&self.house.store, &self.house.gate, &self.sso, back).await
    }

    /// Goes there and comes back with a token of these claims.
    pub async fn travel(
        &self,
        audience: SsoAudience,
        email: Option<&str>,
        claims: impl FnOnce(&Self, &Traveller) -> Value,
    ) -> Result<SsoDone, Error> {
        let traveller = self.start(self.ask(audience, email)).await?;
        self.provider.gives(&self.provider.key.sign(&claims(self, &traveller)));
        self.finish(self.back(audience, &traveller, "192.0.2.1")).await
    }

    /// What there is of accounts, sessions, links and changes: a refusal makes none.
    pub async fn made(&self) -> Vec<u64> {
        let mut counts = Vec::new();
        for table in ["staff", "session", "portal_user", "portal_session", "sso_link", "pending_session"] {
            // Nothing changes; the database says how many rows there are.
            let same = format!("UPDATE {table} SET organisation_id = organisation_id");
            counts.push(self.db.tamper(&same).await.expect("counts"));
        }
        counts
    }
}

#[track_caller]
pub fn conflict<T: std::fmt::Debug>(answer: Result<T, Error>, expected: &str) {
    match answer {
        Err(Error::Conflict { code, .. }) if code == expected => {}
        other => panic!("{expected} was expected: {other:?}"),
    }
}
