//! An organisation with its owner, and cheap passwords.

use std::collections::BTreeSet;

use access::{
    AccessOptions, Cost, FirstStep, Gate, NewOrganisation, NewStaff, PortalFirstStep, PortalSignedIn, RequestMeta,
    SignIn, SignedIn,
};
use domain::{Context, Error, OrganisationId, PageRequest, Role};
use persistence::{JournalEntry, JournalFilter, StaffRow, Store};
use secrecy::ExposeSecret;
use testkit::TestDb;

pub const PASSWORD: &str = "a fine long password";
pub const OWNER: &str = "owner@kite.example";

pub struct House {
    pub store: Store,
    pub gate: Gate,
    pub organisation: OrganisationId,
    pub owner: StaffRow,
}

pub fn gate(db: &TestDb, options: AccessOptions) -> Gate {
    let cheap = AccessOptions { password_cost: Cost { memory: 8, passes: 1 }, ..options };
    Gate::new(cheap, db.store.chance().clone()).expect("starts")
}

pub fn request(address: &str) -> RequestMeta {
    RequestMeta { request_id: "test".to_owned(), source_address: Some(address.to_owned()) }
}

/// The session of a sign-in that needs no second step.
pub fn whole(step: FirstStep) -> SignedIn {
    match step {
        FirstStep::Session(signed_in) => *signed_in,
        FirstStep::SecondFactor(pending) => panic!("a second factor is asked for: {pending:?}"),
    }
}

/// The same of a portal user.
pub fn portal_whole(step: PortalFirstStep) -> PortalSignedIn {
    match step {
        PortalFirstStep::Session(signed_in) => *signed_in,
        PortalFirstStep::SecondFactor(pending) => panic!("a second factor is asked for: {pending:?}"),
    }
}

pub fn attempt(email: &str, password: &str, address: &str) -> SignIn {
    SignIn {
        organisation: None,
        email: email.to_owned(),
        password: password.into(),
        user_agent: Some("Browser\n7".to_owned()),
        request: request(address),
    }
}

impl House {
    pub async fn build(db: &TestDb) -> Self {
        Self::named(db, "Kite", OWNER, PASSWORD).await
    }

    pub async fn named(db: &TestDb, name: &str, email: &str, password: &str) -> Self {
        let gate = gate(db, AccessOptions::default());
        let new = NewOrganisation {
            name: name.to_owned(),
            slug: None,
            owner_name: "Owner".to_owned(),
            owner_email: email.to_owned(),
            owner_password: password.into(),
        };
        let (organisation, owner) = access::organisation_create(&db.store, &gate, new).await.expect("creates");
        Self { store: db.store.clone(), gate, organisation, owner }
    }

    /// Someone of the team, made by the operator.
    pub async fn staff(&self, email: &str, role: Role) -> StaffRow {
        let new = NewStaff {
            name: email.to_owned(),
            email: email.to_owned(),
            password: Some(PASSWORD.into()),
            role,
            allow_clients: None,
            deny_clients: BTreeSet::new(),
        };
        let new = new.check(&self.gate).await.expect("is sound");
        let tx = self.store.begin(self.operator()).await.expect("begins");
        let row = access::staff_create(&tx, new).await.expect("creates");
        tx.commit("staff_create", None).await.expect("commits");
        row
    }

    pub fn operator(&self) -> Context {
        Context::operator(self.organisation, self.store.clock().now())
    }

    /// Signs in someone who has no second factor.
    pub async fn sign_in(&self, email: &str, password: &str, address: &str) -> Result<SignedIn, Error> {
        access::sign_in(&self.store, &self.gate, attempt(email, password, address)).await.map(whole)
    }

    /// The context of a staff user, by a session of theirs.
    pub async fn context(&self, email: &str) -> Context {
        let signed_in = self.sign_in(email, PASSWORD, "192.0.2.200").await.expect("signs in");
        self.by_token(signed_in.token.expose_secret()).await.expect("is signed in")
    }

    /// Who a session token speaks for now.
    pub async fn by_token(&self, token: &str) -> Option<Context> {
        let found = access::session_context(&self.store, &self.gate, token, &request("192.0.2.200")).await;
        found.expect("asks").map(|(context, _, _)| context)
    }

    /// Entries of an action, the newest first, with writes behind answers done.
    pub async fn journal(&self, action: &str) -> Vec<JournalEntry> {
        self.gate.drain().await;
        let tx = self.store.read(self.operator()).await.expect("reads");
        let filter = JournalFilter { action: Some(action.to_owned()), ..JournalFilter::default() };
        let page = PageRequest { limit: 100, after: None };
        tx.journal_list(&filter, &page).await.expect("lists").items
    }
}
