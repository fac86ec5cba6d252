use clientone::{
    OnboardingTemplatePatch, StepGiven, onboarding_assign, onboarding_cancel, onboarding_credentials_read,
    onboarding_seen_by, onboarding_step_complete, onboarding_step_reopen, onboarding_step_skip,
    onboarding_template_create, onboarding_template_publish, onboarding_template_retire, onboarding_template_revise,
    onboarding_template_update, onboardings_seen_by,
};
use domain::{
    Actor, Context, Error, OnboardingContent, OnboardingState as State, OnboardingStepState as Step,
    OnboardingTemplate, OnboardingTemplateState, PageRequest, PlannedStep, PortalPermission, PortalRole,
    PortalSettings, Section, StaffId,
};
use persistence::{KeyRing, OnboardingFilter, OsChance, Store, StoreOptions};
use testkit::both_databases;

use crate::{
    course::{
        agreement, agreement_step, assign, both, complete, credentials, document, document_step, form, now, publish,
        published, send, sign, task, typed,
    },
    house::{House, conflict, missing},
};

fn codes<T: std::fmt::Debug>(done: Result<T, Error>) -> Vec<(String, &'static str)> {
    match done {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|one| (one.pointer, one.code)).collect(),
        other => panic!("{other:?}"),
    }
}

fn answers(seats: &str) -> StepGiven {
    StepGiven { answers: Some(vec![("seats".to_owned(), seats.to_owned())]), credentials: None }
}

fn given() -> StepGiven {
    StepGiven { answers: None, credentials: Some(both()) }
}

both_databases! {
    async fn a_template_is_fixed_once_it_is_published(db: TestDb) {
        let house = House::new(db).await;
        let tx = house.staff().await;
        let unknown = PlannedStep {
            title: " ".to_owned(),
            content: OnboardingContent::Agreement { series_id: tx.new_id() },
        };
        let wrong = onboarding_template_create(&tx, typed(vec![task("One"), unknown])).await;
        let places = [("/steps/1/title", "required"), ("/steps/1/agreement_id", "unknown")];
        assert_eq!(codes(wrong), places.map(|(pointer, code)| (pointer.to_owned(), code)));
        for count in [0, 41] {
            let wrong = onboarding_template_create(&tx, typed(vec![task("One"); count])).await;
            assert_eq!(codes(wrong), [("/steps".to_owned(), "wrong_number")]);
        }
        onboarding_template_create(&tx, typed(vec![task("One"); 40])).await.expect("is not too much");
        drop(tx);

        let first = published(&house, vec![task("One")]).await;
        let tx = house.staff().await;
        let patch = OnboardingTemplatePatch { name: Some("Other".to_owned()), ..OnboardingTemplatePatch::default() };
        assert_eq!(conflict(onboarding_template_update(&tx, first.id, patch.clone()).await), "published_already");
        let forged = OnboardingTemplate { steps: vec![task("Two")], ..first.clone() };
        assert_eq!(conflict(tx.onboarding_template_save(&first, forged).await), "published_already");
        assert_eq!(conflict(onboarding_template_publish(&tx, first.id).await), "wrong_state");
        let next = onboarding_template_revise(&tx, first.id).await.expect("makes");
        assert_eq!((next.number, next.series_id, next.steps.len()), (2, first.id, 1));
        assert_eq!(conflict(onboarding_template_revise(&tx, first.id).await), "draft_exists");
        assert_eq!(conflict(onboarding_template_retire(&tx, next.id).await), "wrong_state");
        let changed = onboarding_template_update(&tx, next.id, patch).await.expect("changes");
        assert_eq!((changed.name.as_str(), changed.version), ("Other", 2));
        onboarding_template_publish(&tx, next.id).await.expect("publishes");
        let mut found = Vec::new();
        for id in [first.id, next.id] {
            found.push(tx.onboarding_template(id).await.expect("reads").state);
        }
        assert_eq!(found, [OnboardingTemplateState::Retired, OnboardingTemplateState::Published]);
        tx.commit("onboarding_template_publish", None).await.expect("commits");
        assert_eq!(conflict(assign(&house, first.id, &[house.client]).await), "wrong_state");
    }

    async fn it_is_assigned_where_it_can_be_done_and_once(db: TestDb) {
        let house = House::new(db).await;
        house.person(house.client, "pat", PortalRole::Manager).await;
        let (pier, closed) = (house.another("Pier").await, house.db.client(house.organisation, "Closed").await);
        let guide = document(&house, None, false).await;
        let tx = house.staff().await;
        let steps = vec![task("One"), document_step("Read", guide.id)];
        let draft = onboarding_template_create(&tx, typed(steps)).await.expect("makes");
        let place = ("/steps/1/document_id".to_owned(), "not_published");
        assert_eq!(codes(onboarding_template_publish(&tx, draft.id).await), [place]);
        tx.commit("onboarding_template_create", None).await.expect("commits");
        assert_eq!(conflict(assign(&house, draft.id, &[house.client]).await), "wrong_state", "a draft is assigned");
        publish(&house, guide.id, true).await;
        let tx = house.staff().await;
        let template = onboarding_template_publish(&tx, draft.id).await.expect("publishes");
        tx.commit("onboarding_template_publish", None).await.expect("commits");

        let wrong = assign(&house, template.id, &[house.client, house.client, closed]).await;
        let expected =
            [("/client_ids/1", "twice"), ("/client_ids/2", "clientone_disabled"), ("/client_ids/2", "section_off")];
        assert_eq!(codes(wrong), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert_eq!(codes(assign(&house, template.id, &[]).await), [("/client_ids".to_owned(), "wrong_number")]);
        let tx = house.staff().await;
        let random = tx.new_id();
        missing(onboarding_assign(&tx, template.id, &[random], None).await);
        drop(tx);

        let begun = assign(&house, template.id, &[house.client, pier]).await.expect("assigns");
        assert_eq!(house.letters().await, 1, "to the Manager of the one");
        assert_eq!((begun[0].total, begun[0].settled, begun[0].current.as_deref()), (2, 0, Some("One")));
        assert_eq!(begun[0].stalled_after_days, 7);
        assert_eq!(codes(assign(&house, template.id, &[pier]).await), [("/client_ids/0".to_owned(), "assigned_already")]);
        // Nor by another version.
        let tx = house.staff().await;
        let next = onboarding_template_revise(&tx, template.id).await.expect("makes");
        onboarding_template_publish(&tx, next.id).await.expect("publishes");
        tx.commit("onboarding_template_publish", None).await.expect("commits");
        assert_eq!(codes(assign(&house, next.id, &[pier]).await), [("/client_ids/0".to_owned(), "assigned_already")]);
        let tx = house.staff().await;
        let (cancelled, _) = onboarding_cancel(&tx, begun[1].id, Some(" Later. ")).await.expect("cancels");
        assert_eq!((cancelled.state, cancelled.reason.as_deref(), cancelled.current), (State::Cancelled, Some("Later."), None));
        tx.commit("onboarding_cancel", None).await.expect("commits");
        assign(&house, next.id, &[pier]).await.expect("assigns again");
        publish(&house, guide.id, false).await;
        assert_eq!(codes(assign(&house, next.id, &[house.client]).await).last().expect("two").1, "document_not_shown");
    }

    async fn steps_are_done_one_at_a_time_by_those_who_may(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let pier = house.another("Pier").await;
        let kim = house.person(pier, "kim", PortalRole::Manager).await;
        let guide = document(&house, Some(house.client), true).await;
        let kickoff = PlannedStep {
            title: "Kick-off".to_owned(),
            content: OnboardingContent::Kickoff { text: "Meet us.".to_owned(), link: Some("https://cal.example".to_owned()) },
        };
        let steps = vec![form("About you"), credentials("Network"), kickoff, document_step("Read", guide.id), task("Tell")];
        let template = published(&house, steps).await;
        let id = assign(&house, template.id, &[house.client]).await.expect("assigns")[0].id;

        // Nobody but a Manager of the client.
        let refused = complete(&house, &sam, id, 0, answers("3")).await;
        let permission = PortalPermission::OnboardingComplete;
        assert!(matches!(refused, Err(Error::PortalForbidden { permission: lacking }) if lacking == permission), "{refused:?}");
        missing(complete(&house, &kim, id, 0, answers("3")).await);
        let tx = house.of(&kim).await;
        missing(onboarding_seen_by(&tx, &kim, &house.settings, id).await);
        drop(tx);
        // Where the section is off there is nothing of it.
        let off = PortalSettings { sections: [Section::Devices].into(), ..house.settings.clone() };
        let tx = house.of(&pat).await;
        missing(onboarding_seen_by(&tx, &pat, &off, id).await);
        missing(onboardings_seen_by(&tx, &pat, &off, None, &PageRequest::first()).await);
        let step = tx.onboarding_steps(id).await.expect("reads")[0].id;
        missing(onboarding_step_complete(&tx, &pat, &off, id, step, answers("3")).await);
        missing(onboarding_step_complete(&tx, &pat, &house.settings, id, tx.new_id(), answers("3")).await);
        drop(tx);

        // In order, with what each needs and nothing else.
        assert_eq!(conflict(complete(&house, &pat, id, 1, given()).await), "not_the_current_step");
        let wrong = complete(&house, &pat, id, 0, answers("three")).await;
        assert_eq!(codes(wrong), [("/answers/0/value".to_owned(), "not_a_number")]);
        assert_eq!(codes(complete(&house, &pat, id, 0, given()).await), [("/credentials".to_owned(), "not_asked")]);
        assert_eq!(codes(complete(&house, &pat, id, 0, StepGiven::default()).await), [("/answers".to_owned(), "required")]);
        house.db.clock.advance(3_600);
        let row = complete(&house, &pat, id, 0, answers("3")).await.expect("does it");
        assert_eq!((row.settled, row.current.as_deref(), row.moved_at), (1, Some("Network"), house.db.now()));
        assert_eq!(conflict(complete(&house, &pat, id, 0, answers("4")).await), "wrong_state");
        assert_eq!(codes(complete(&house, &pat, id, 1, answers("4")).await), [("/answers".to_owned(), "not_asked")]);
        assert_eq!(codes(complete(&house, &pat, id, 1, StepGiven::default()).await).len(), 2, "both are wanted");
        complete(&house, &pat, id, 1, given()).await.expect("gives");
        complete(&house, &pat, id, 2, StepGiven::default()).await.expect("has met");
        let tx = house.of(&sam).await;
        let (_, steps, current) = onboarding_seen_by(&tx, &sam, &house.settings, id).await.expect("sees");
        drop(tx);
        assert_eq!(current.and_then(|current| current.document).map(|one| one.content).as_deref(), Some("Call us."));
        assert!(steps.iter().all(|step| step.answers.is_empty()), "a User sees what was answered");
        publish(&house, guide.id, false).await;
        assert_eq!(conflict(complete(&house, &pat, id, 3, StepGiven::default()).await), "document_not_published");
        publish(&house, guide.id, true).await;
        complete(&house, &pat, id, 3, StepGiven::default()).await.expect("has read");
        let row = complete(&house, &pat, id, 4, StepGiven::default()).await.expect("has told");
        assert_eq!((row.state, row.settled, row.current, row.ended_at), (State::Completed, 5, None, Some(house.db.now())));
        let (_, steps) = now(&house, id).await;
        assert!(steps.iter().all(|step| step.state == Step::Done && step.portal_user_id == Some(pat.id)));
        assert_eq!(steps[0].answers[0].value, "3");
        let tx = house.of(&pat).await;
        let page = PageRequest::first();
        assert_eq!(onboardings_seen_by(&tx, &pat, &house.settings, None, &page).await.expect("lists").total, 0);
        let ended = Some(State::Completed);
        assert_eq!(onboardings_seen_by(&tx, &pat, &house.settings, ended, &page).await.expect("lists").total, 1);
    }

    async fn an_agreements_step_is_done_by_signing_it(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let (terms, privacy, old) = (agreement(&house).await, agreement(&house).await, agreement(&house).await);
        let copy = send(&house, &old, house.client).await;
        sign(&house, &pat, copy).await;
        let steps = vec![
            agreement_step("Old", &old),
            agreement_step("Terms", &terms),
            agreement_step("Privacy", &privacy),
            task("Tell"),
        ];
        let template = published(&house, steps).await;
        let begun = assign(&house, template.id, &[house.client]).await.expect("assigns").remove(0);
        let id = begun.id;
        assert_eq!((begun.settled, begun.current.as_deref()), (1, Some("Terms")), "what was signed before is passed");
        let none = StepGiven::default;
        assert_eq!(conflict(complete(&house, &pat, id, 1, none()).await), "agreement_not_signed");
        let terms_copy = send(&house, &terms, house.client).await;
        let privacy_copy = send(&house, &privacy, house.client).await;
        assert_eq!(conflict(complete(&house, &pat, id, 1, none()).await), "agreement_not_signed");
        // Signed before its turn, it waits; then both are passed at once.
        sign(&house, &pat, privacy_copy).await;
        assert_eq!(now(&house, id).await.0.settled, 1);
        sign(&house, &pat, terms_copy).await;
        let (row, steps) = now(&house, id).await;
        assert_eq!((row.settled, row.current.as_deref()), (3, Some("Tell")));
        assert!(steps[..3].iter().all(|step| step.portal_user_id == Some(pat.id)));
        // Asked again, it stays open until someone says that it is done.
        let tx = house.staff().await;
        let (row, _) = onboarding_step_reopen(&tx, id, steps[1].id).await.expect("asks again");
        assert_eq!((row.settled, row.current.as_deref()), (2, Some("Terms")));
        tx.commit("onboarding_step_reopen", None).await.expect("commits");
        let row = complete(&house, &pat, id, 1, none()).await.expect("is signed still");
        assert_eq!(row.current.as_deref(), Some("Tell"));
    }

    async fn staff_skip_ask_again_and_give_up(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let template = published(&house, vec![task("One"), credentials("Two"), task("Three")]).await;
        let id = assign(&house, template.id, &[house.client]).await.expect("assigns")[0].id;
        let (_, steps) = now(&house, id).await;
        let tx = house.staff().await;
        assert_eq!(codes(onboarding_step_skip(&tx, id, steps[2].id, " ").await), [("/reason".to_owned(), "required")]);
        let (row, _) = onboarding_step_skip(&tx, id, steps[2].id, "Known.").await.expect("skips");
        assert_eq!((row.settled, row.current.as_deref()), (1, Some("One")), "one further on can be skipped");
        assert_eq!(conflict(onboarding_step_skip(&tx, id, steps[2].id, "Again.").await), "wrong_state");
        tx.commit("onboarding_step_skip", None).await.expect("commits");
        complete(&house, &pat, id, 0, StepGiven::default()).await.expect("does it");
        assert_eq!(complete(&house, &pat, id, 1, given()).await.expect("gives").state, State::Completed);
        let tx = house.staff().await;
        assert_eq!(conflict(onboarding_cancel(&tx, id, None).await), "wrong_state");
        // What was given is forgotten when it is asked for again.
        let (row, steps) = onboarding_step_reopen(&tx, id, steps[1].id).await.expect("asks again");
        assert_eq!((row.state, row.settled, row.ended_at), (State::Active, 2, None));
        assert_eq!((steps[1].state, steps[1].credentials_at, steps[1].portal_user_id), (Step::Open, None, None));
        tx.commit("onboarding_step_reopen", None).await.expect("commits");
        let tx = house.staff().await;
        assert_eq!(conflict(onboarding_credentials_read(&tx, id, steps[1].id).await), "no_credentials");
        drop(tx);
        // And when it is given up.
        assert_eq!(complete(&house, &pat, id, 1, given()).await.expect("gives").state, State::Completed);
        let tx = house.staff().await;
        onboarding_step_reopen(&tx, id, steps[0].id).await.expect("asks again");
        let (_, cancelled) = onboarding_cancel(&tx, id, None).await.expect("cancels");
        assert!(cancelled.iter().all(|step| step.credentials_at.is_none()));
        tx.commit("onboarding_cancel", None).await.expect("commits");
        let tx = house.staff().await;
        assert_eq!(conflict(onboarding_credentials_read(&tx, id, steps[1].id).await), "no_credentials");
        drop(tx);
        assert_eq!(conflict(complete(&house, &pat, id, 1, given()).await), "wrong_state");
        let tx = house.staff().await;
        for refused in [
            onboarding_step_skip(&tx, id, steps[1].id, "Late.").await,
            onboarding_step_reopen(&tx, id, steps[0].id).await,
            onboarding_cancel(&tx, id, None).await,
        ] {
            assert_eq!(conflict(refused), "wrong_state");
        }
        drop(tx);
        // One that was completed is not taken up again beside another.
        let first = published(&house, vec![task("Only")]).await;
        let done = assign(&house, first.id, &[house.client]).await.expect("assigns")[0].id;
        complete(&house, &pat, done, 0, StepGiven::default()).await.expect("does it");
        assign(&house, first.id, &[house.client]).await.expect("assigns again");
        let step = now(&house, done).await.1[0].id;
        let tx = house.staff().await;
        assert_eq!(conflict(onboarding_step_reopen(&tx, done, step).await), "assigned_already");
    }

    async fn credentials_are_sealed_in_their_row_and_reading_them_is_noted(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let template = published(&house, vec![credentials("First"), credentials("Second")]).await;
        let id = assign(&house, template.id, &[house.client]).await.expect("assigns")[0].id;
        let first = now(&house, id).await.1[0].id;
        let tx = house.of(&pat).await;
        let (row, steps, current) =
            onboarding_step_complete(&tx, &pat, &house.settings, id, first, given()).await.expect("gives");
        assert!(!format!("{:?} {row:?} {steps:?} {current:?}", tx.changes()).contains("canary"), "it shows");
        tx.commit("onboarding_step_complete", None).await.expect("commits");
        complete(&house, &pat, id, 1, given()).await.expect("gives");

        let who = StaffId(house.staff().await.new_id());
        let context = Context { actor: Actor::Staff { id: who }, ..house.db.context(house.organisation) };
        for reads in 1..3 {
            let tx = house.db.store.begin(context.clone()).await.expect("begins");
            let (step, found) = onboarding_credentials_read(&tx, id, first).await.expect("reads");
            assert_eq!(found, both(), "kept as typed");
            assert_eq!((step.credentials_reads, step.credentials_read_by), (reads, Some(who)));
            let set = tx.commit("onboarding_credentials_read", Some("set-up")).await.expect("commits");
            let change = &set.changes[0];
            assert!(set.entry.is_some() && change.id == first.0 && change.client_id == Some(house.client));
            assert!(!format!("{set:?}").contains("canary"));
        }
        // Nobody else's, and nothing but a step of this onboarding.
        let tx = house.of(&pat).await;
        assert!(matches!(onboarding_credentials_read(&tx, id, first).await, Err(Error::Forbidden { .. })));
        drop(tx);
        missing(onboarding_credentials_read(&tx_of(&house).await, id, first).await);

        // The key is replaced while it runs.
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let mut options = StoreOptions::new(&house.db.url, KeyRing::parse(&format!("{new},{old}")).expect("parses"));
        options.clock = house.db.clock.clone();
        let store = Store::connect(options).await.expect("opens");
        let tx = store.begin(house.db.context(house.organisation)).await.expect("begins");
        assert_eq!(tx.onboarding_credentials_reseal().await.expect("seals anew"), 2);
        assert_eq!(tx.onboarding_credentials_reseal().await.expect("seals anew"), 0);
        tx.commit_unjournalled().await.expect("commits");
        let tx = store.read(house.db.context(house.organisation)).await.expect("reads");
        assert_eq!(tx.onboarding_credentials(first).await.expect("opens"), both());
        drop(tx);
        // Moved to another row they do not open.
        let moved = "UPDATE onboarding_step SET credentials = (SELECT credentials FROM onboarding_step WHERE number = 1)";
        house.db.tamper(moved).await.expect("tampers");
        let second = now(&house, id).await.1[1].id;
        let tx = store.read(house.db.context(house.organisation)).await.expect("reads");
        assert!(tx.onboarding_credentials(first).await.is_ok());
        assert!(matches!(tx.onboarding_credentials(second).await, Err(Error::Internal(_))));
    }

    async fn what_stands_still_is_stalled_and_reminded_of_once_a_week(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let template = published(&house, vec![task("One"), task("Two")]).await;
        let id = assign(&house, template.id, &[house.client]).await.expect("assigns")[0].id;
        let stalled = async |wanted: bool| {
            let filter = OnboardingFilter { stalled: Some(wanted), ..OnboardingFilter::default() };
            house.staff().await.onboarding_list(&filter, &PageRequest::first()).await.expect("lists").total
        };
        let due = async || house.staff().await.onboardings_to_remind(10).await.expect("reads").len();
        house.db.clock.advance(7 * 86_400 - 1);
        assert_eq!((stalled(true).await, stalled(false).await, due().await), (0, 1, 0));
        house.db.clock.advance(1);
        assert_eq!((stalled(true).await, stalled(false).await, due().await), (1, 0, 1));
        let tx = house.staff().await;
        assert!(tx.onboarding_to_remind(id).await.expect("reads").is_some());
        tx.onboarding_reminded(id).await.expect("notes");
        assert!(tx.onboarding_to_remind(id).await.expect("reads").is_none());
        tx.commit_unjournalled().await.expect("commits");
        house.db.clock.advance(7 * 86_400 - 1);
        assert_eq!((stalled(true).await, due().await), (1, 0));
        house.db.clock.advance(1);
        assert_eq!(due().await, 1);
        // Whatever is done with it makes it move again, and forgets no reminder.
        complete(&house, &pat, id, 0, StepGiven::default()).await.expect("does it");
        assert_eq!((stalled(true).await, due().await), (0, 0));
        complete(&house, &pat, id, 1, StepGiven::default()).await.expect("does it");
        house.db.clock.advance(30 * 86_400);
        assert_eq!((stalled(true).await, due().await), (0, 0), "what is completed is not stalled");
    }

    async fn many_who_do_a_step_at_once_do_it_once(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let max = house.person(house.client, "max", PortalRole::Manager).await;
        let template = published(&house, vec![form("One"), task("Two"), task("Three")]).await;
        let id = assign(&house, template.id, &[house.client]).await.expect("assigns")[0].id;
        let (one, two, three) = tokio::join!(
            complete(&house, &pat, id, 0, answers("1")),
            complete(&house, &max, id, 0, answers("2")),
            complete(&house, &pat, id, 0, answers("3")),
        );
        let all = [one, two, three];
        assert_eq!(all.iter().flatten().count(), 1, "{all:?}");
        let (row, steps) = now(&house, id).await;
        assert_eq!((row.settled, row.current.as_deref()), (1, Some("Two")));
        let won = all.iter().position(Result::is_ok).expect("one did");
        assert_eq!(steps[0].answers[0].value, (won + 1).to_string());
        for refused in all {
            if refused.is_err() {
                assert_eq!(conflict(refused), "wrong_state");
            }
        }
    }
}

/// A transaction of someone who manages ClientOne for other clients only.
async fn tx_of(house: &House) -> persistence::Tx {
    let context = house.db.context(house.organisation);
    let scope = domain::ClientScope::AllBut([house.client].into());
    house.db.store.read(Context { scope, ..context }).await.expect("begins")
}
