//! A client with people, and what they may do.

use std::collections::BTreeSet;

use clientone::{ServiceRequestTypeDraft, SettingsPatch, service_request_type_create};
use domain::{
    Actor, ClientId, ClientScope, Context, Error, FieldKind, FormField, OrganisationId, Permissions, PortalConfig,
    PortalRole, PortalSettings, PortalState, Section, ServiceRequestType,
};
use persistence::{PortalUserRow, Tx};
use testkit::TestDb;

/// An MSP with ClientOne enabled for a client, and all its sections on.
pub struct House {
    pub db: TestDb,
    pub organisation: OrganisationId,
    pub client: ClientId,
    pub settings: PortalSettings,
}

impl House {
    pub async fn new(db: TestDb) -> Self {
        let organisation = db.organisation("Kite").await;
        let client = db.client(organisation, "Quay").await;
        let mut house = Self { db, organisation, client, settings: PortalSettings::default() };
        house.settings = house.open(client).await.settings;
        house
    }

    /// Another client, open as well.
    pub async fn another(&self, name: &str) -> ClientId {
        let client = self.db.client(self.organisation, name).await;
        self.open(client).await;
        client
    }

    async fn open(&self, client: ClientId) -> PortalConfig {
        let tx = self.staff().await;
        clientone::clientone_enable(&tx, client).await.expect("enables");
        let sections = Some(BTreeSet::from(Section::ALL));
        let patch = SettingsPatch { sections, ..SettingsPatch::default() };
        let config = clientone::clientone_update(&tx, client, patch, None).await.expect("sets");
        tx.commit("clientone_enable", None).await.expect("commits");
        config
    }

    /// A transaction of someone who may do everything.
    pub async fn staff(&self) -> Tx {
        self.db.store.begin(self.db.context(self.organisation)).await.expect("begins")
    }

    /// A transaction of a portal user.
    pub async fn of(&self, user: &PortalUserRow) -> Tx {
        let context = Context {
            actor: Actor::PortalUser { id: user.id },
            scope: ClientScope::Only(BTreeSet::from([user.client_id])),
            permissions: Permissions::of_portal(user.role),
            source_address: Some("192.0.2.7".to_owned()),
            ..self.db.context(self.organisation)
        };
        self.db.store.begin(context).await.expect("begins")
    }

    /// Someone of a client who has come in.
    pub async fn person(&self, client: ClientId, name: &str, role: PortalRole) -> PortalUserRow {
        let tx = self.staff().await;
        let row = PortalUserRow {
            organisation: self.organisation,
            id: tx.new_id(),
            client_id: client,
            email: format!("{name}@quay.example"),
            name: name.to_owned(),
            phone: None,
            role,
            state: PortalState::Active,
            password_hash: None,
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

    /// A type of service request with one field that must be answered.
    pub async fn request_type(&self) -> ServiceRequestType {
        let tx = self.staff().await;
        let field = FormField {
            key: "count".to_owned(),
            label: "How many".to_owned(),
            kind: FieldKind::Number,
            options: Vec::new(),
            required: true,
        };
        let draft = ServiceRequestTypeDraft {
            name: "New laptop".to_owned(),
            description: "For someone who starts.".to_owned(),
            fields: vec![field],
        };
        let row = service_request_type_create(&tx, draft).await.expect("makes");
        tx.commit("service_request_type_create", None).await.expect("commits");
        row
    }

    /// How many letters wait.
    pub async fn letters(&self) -> usize {
        self.staff().await.mail_list().await.expect("lists").len()
    }
}

/// The code of a conflict.
pub fn conflict<T: std::fmt::Debug>(done: Result<T, Error>) -> &'static str {
    match done {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

/// Whether it was not found.
pub fn missing<T: std::fmt::Debug>(done: Result<T, Error>) {
    assert!(matches!(done, Err(Error::NotFound { .. })), "{done:?}");
}
