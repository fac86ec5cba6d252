//! Onboardings that stand still are reminded of: those who can go on, at most once a week.

use domain::{
    ClientId, Onboarding, OnboardingId, OnboardingState, OnboardingTemplate, OnboardingTemplateId,
    OnboardingTemplateState, PortalConfig, PortalRole, PortalSettings, PortalState, Section,
};
use persistence::{PortalUserRow, Tx};
use sync::Worker;
use testkit::{TestDb, both_databases};

use crate::{
    stage::OPTIONS,
    toy::{ToyStage, toy},
};

const DAY: i64 = 86_400;

struct Desk {
    stage: ToyStage,
    worker: Worker,
    template: OnboardingTemplateId,
}

impl Desk {
    async fn new(db: TestDb) -> Self {
        let stage = toy(db).await;
        let worker = Worker::new(stage.engine.clone(), OPTIONS);
        worker.run_until_idle().await.expect("works");
        let tx = begin(&stage).await;
        let template = OnboardingTemplate {
            id: tx.new_id(),
            series_id: tx.new_id(),
            number: 1,
            name: "Welcome".into(),
            description: String::new(),
            stalled_after_days: 3,
            steps: Vec::new(),
            state: OnboardingTemplateState::Published,
            published_at: Some(tx.now()),
            retired_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.onboarding_template_insert(&template).await.expect("makes");
        tx.commit("onboarding_template_create", None).await.expect("commits");
        Self { stage, worker, template: template.id }
    }

    /// A client with ClientOne set up so, a Manager, another who is deactivated, a User, and an onboarding.
    async fn client(&self, name: &str, enabled: bool, sections: &[Section]) -> (ClientId, OnboardingId) {
        let client = self.stage.db.client(self.stage.organisation, name).await;
        let tx = begin(&self.stage).await;
        let before = tx.portal_config(client).await.expect("reads");
        let settings = PortalSettings { sections: sections.iter().copied().collect(), ..PortalSettings::default() };
        let after = PortalConfig { enabled, settings, ..before.clone() };
        tx.portal_config_save(&before, after).await.expect("sets up");
        for (who, role, state) in [
            ("manager", PortalRole::Manager, PortalState::Active),
            ("gone", PortalRole::Manager, PortalState::Deactivated),
            ("user", PortalRole::User, PortalState::Active),
        ] {
            tx.portal_user_insert(&person(&tx, client, &format!("{who}@{name}.example"), role, state))
                .await
                .expect("makes");
        }
        let id: OnboardingId = tx.new_id();
        let now = tx.now();
        let onboarding = Onboarding {
            id,
            template_id: self.template,
            series_id: self.template,
            client_id: client,
            name: "Welcome".into(),
            stalled_after_days: 3,
            state: OnboardingState::Active,
            total: 2,
            settled: 1,
            current: Some("Network".into()),
            started_at: now,
            moved_at: now,
            ended_at: None,
            reason: None,
            updated_at: now,
            version: 1,
        };
        tx.onboarding_insert(&onboarding).await.expect("makes");
        tx.commit("onboarding_assign", None).await.expect("commits");
        (client, id)
    }

    /// What the housekeeping does, and the jobs that come of it; to whom letters wait then, one line for each.
    async fn remind(&self) -> Vec<String> {
        self.stage.engine.reminders_enqueue(self.stage.organisation).await.expect("enqueues");
        self.worker.run_until_idle().await.expect("works");
        let mut waiting: Vec<String> =
            begin(&self.stage).await.mail_list().await.expect("lists").into_iter().map(|mail| mail.recipient).collect();
        waiting.sort();
        waiting
    }
}

async fn begin(stage: &ToyStage) -> Tx {
    stage.db.store.begin(stage.db.context(stage.organisation)).await.expect("begins")
}

fn person(tx: &Tx, client_id: ClientId, email: &str, role: PortalRole, state: PortalState) -> PortalUserRow {
    PortalUserRow {
        organisation: tx.organisation(),
        id: tx.new_id(),
        client_id,
        email: email.to_owned(),
        name: email.to_owned(),
        phone: None,
        role,
        state,
        password_hash: None,
        link_hash: None,
        link_made_at: None,
        accepted_at: Some(tx.now()),
        deactivated_at: None,
        signed_in_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    }
}

both_databases! {
    async fn those_who_can_go_on_are_reminded_once_a_week(db: TestDb) {
        let desk = Desk::new(db).await;
        let clock = desk.stage.db.clock.clone();
        let (_, id) = desk.client("quay", true, &[Section::Onboarding]).await;
        desk.client("shut", false, &[Section::Onboarding]).await;
        desk.client("hidden", true, &[Section::Devices]).await;
        let (deleted, _) = desk.client("deleted", true, &[Section::Onboarding]).await;
        let tx = begin(&desk.stage).await;
        let before = tx.client(deleted).await.expect("reads");
        let after = domain::Client { deleted_at: Some(tx.now()), ..before.clone() };
        tx.client_update(&before, after).await.expect("deletes");
        tx.commit("client_delete", None).await.expect("commits");

        clock.advance(3 * DAY - 1);
        assert!(desk.remind().await.is_empty(), "nothing stands still yet");
        clock.advance(1);
        assert_eq!(desk.remind().await, ["manager@quay.example"]);
        assert_eq!(desk.remind().await.len(), 1, "again at once");
        let (one, two) = tokio::join!(desk.remind(), desk.remind());
        assert_eq!((one.len(), two.len()), (1, 1), "and by two at once");
        clock.advance(7 * DAY - 1);
        assert_eq!(desk.remind().await.len(), 1, "within the week");
        clock.advance(1);
        assert_eq!(desk.remind().await, ["manager@quay.example"; 2]);
        // It moves: nothing to remind of until it stands still anew.
        let tx = begin(&desk.stage).await;
        let row = tx.onboarding(id).await.expect("reads");
        tx.onboarding_save(&row, Onboarding { moved_at: tx.now(), ..row.clone() }).await.expect("moves");
        tx.commit("onboarding_step_complete", None).await.expect("commits");
        clock.advance(3 * DAY);
        assert_eq!(desk.remind().await.len(), 2, "a week has not passed since the last");
        clock.advance(4 * DAY);
        assert_eq!(desk.remind().await.len(), 3);
        let tx = begin(&desk.stage).await;
        let row = tx.onboarding(id).await.expect("reads");
        let ended = Onboarding { state: OnboardingState::Completed, ended_at: Some(tx.now()), ..row.clone() };
        tx.onboarding_save(&row, ended).await.expect("ends");
        tx.commit("onboarding_step_complete", None).await.expect("commits");
        clock.advance(30 * DAY);
        assert_eq!(desk.remind().await.len(), 3, "what is completed is over");
    }
}
