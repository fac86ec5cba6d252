use clientone::{
    NewServiceRequest, RequestNotes, ServiceRequestTypePatch, service_request_act, service_request_cancel,
    service_request_create, service_request_seen_by, service_request_type_update, service_requests_seen_by,
};
use domain::{
    Error, FieldKind, FormField, PageRequest, PortalRole, ServiceRequest, ServiceRequestAct as Act,
    ServiceRequestState as State, ServiceRequestType,
};
use persistence::PortalUserRow;
use testkit::both_databases;

use crate::house::{House, conflict, missing};

fn wanted(kind: &ServiceRequestType, count: &str) -> NewServiceRequest {
    NewServiceRequest {
        type_id: kind.id,
        description: "For Sam".to_owned(),
        answers: vec![("count".to_owned(), count.to_owned())],
    }
}

async fn ask(house: &House, user: &PortalUserRow, kind: &ServiceRequestType) -> ServiceRequest {
    let tx = house.of(user).await;
    let row = service_request_create(&tx, user, &house.settings, wanted(kind, "2")).await.expect("asks");
    tx.commit("service_request_create", None).await.expect("commits");
    row
}

async fn act(house: &House, row: &ServiceRequest, act: Act, note: Option<&str>) -> Result<ServiceRequest, Error> {
    let tx = house.staff().await;
    let notes = RequestNotes { note: note.map(str::to_owned), internal_note: Some("Among us.".to_owned()) };
    let after = service_request_act(&tx, row.id, act, notes, Some("https://kite.example/clientone")).await?;
    tx.commit("service_request_act", None).await?;
    Ok(after)
}

async fn cancel(house: &House, user: &PortalUserRow, row: &ServiceRequest) -> Result<ServiceRequest, Error> {
    let tx = house.of(user).await;
    let after = service_request_cancel(&tx, user, &house.settings, row.id).await?;
    tx.commit("service_request_cancel", None).await?;
    Ok(after)
}

both_databases! {
    async fn a_request_goes_its_way_and_its_requester_hears_of_it(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let kind = house.request_type().await;
        let tx = house.of(&sam).await;
        let wrong = service_request_create(&tx, &sam, &house.settings, wanted(&kind, "two")).await;
        assert!(matches!(&wrong, Err(Error::Invalid(problems)) if problems[0].pointer == "/answers/0/value"), "{wrong:?}");
        drop(tx);
        let row = ask(&house, &sam, &kind).await;
        assert_eq!((row.state, row.version, row.answers[0].value.as_str()), (State::Submitted, 1, "2"));
        assert_eq!(conflict(act(&house, &row, Act::Start, None).await), "wrong_state");
        assert_eq!(conflict(act(&house, &row, Act::Cancel, None).await), "not_the_requester");
        act(&house, &row, Act::Review, None).await.expect("looks");
        assert_eq!(house.letters().await, 1);
        act(&house, &row, Act::Note, None).await.expect("notes");
        assert_eq!(house.letters().await, 1, "an internal note is mailed");
        act(&house, &row, Act::Note, Some("Soon.")).await.expect("says");
        assert_eq!(house.letters().await, 2);
        assert_eq!(conflict(cancel(&house, &sam, &row).await), "wrong_state");
        assert!(matches!(act(&house, &row, Act::Reject, None).await, Err(Error::Invalid(_))), "without a reason");
        let after = act(&house, &row, Act::Reject, Some("Ask in June.")).await.expect("rejects");
        assert_eq!((after.state, after.rejected_because.as_deref()), (State::Rejected, Some("Ask in June.")));
        assert_eq!(conflict(act(&house, &row, Act::Note, Some("More.")).await), "wrong_state");
        let tx = house.of(&sam).await;
        let (_, steps) = service_request_seen_by(&tx, &sam, &house.settings, row.id).await.expect("sees");
        let said: Vec<Option<&str>> = steps.iter().map(|step| step.note.as_deref()).collect();
        assert_eq!(said, [None, None, Some("Soon."), Some("Ask in June.")]);
        assert!(steps.iter().all(|step| step.internal_note.is_none()));
        assert_eq!(steps.iter().map(|step| step.number).collect::<Vec<_>>(), [1, 2, 4, 5]);
    }

    async fn who_sees_which(db: TestDb) {
        let house = House::new(db).await;
        let pier = house.another("Pier").await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let max = house.person(house.client, "max", PortalRole::User).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let kim = house.person(pier, "kim", PortalRole::Manager).await;
        let kind = house.request_type().await;
        let row = ask(&house, &sam, &kind).await;
        for (user, sees) in [(&sam, true), (&max, false), (&pat, true), (&kim, false)] {
            let tx = house.of(user).await;
            let listed = service_requests_seen_by(&tx, user, &house.settings, None, &PageRequest::first()).await;
            assert_eq!(listed.expect("lists").total, i64::from(sees), "{}", user.name);
            let found = service_request_seen_by(&tx, user, &house.settings, row.id).await;
            if sees { assert_eq!(found.expect("sees").0, row) } else { missing(found) }
            drop(tx);
            if user.id != sam.id {
                let refused = cancel(&house, user, &row).await;
                if sees { assert_eq!(conflict(refused), "not_the_requester") } else { missing(refused) }
            }
        }
        cancel(&house, &sam, &row).await.expect("cancels");
    }

    async fn a_type_that_changes_or_goes_leaves_requests_as_they_were(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let kind = house.request_type().await;
        let row = ask(&house, &sam, &kind).await;
        let field = FormField {
            key: "day".to_owned(), label: "Day".to_owned(), kind: FieldKind::Date, options: vec![], required: true,
        };
        let patch = ServiceRequestTypePatch {
            name: Some("Laptop".to_owned()), fields: Some(vec![field]), active: Some(false), version: Some(1),
            ..ServiceRequestTypePatch::default()
        };
        let tx = house.staff().await;
        service_request_type_update(&tx, kind.id, patch.clone()).await.expect("changes");
        let stale = service_request_type_update(&tx, kind.id, patch).await;
        assert!(matches!(stale, Err(Error::Stale { .. })), "{stale:?}");
        tx.commit("service_request_type_update", None).await.expect("commits");
        let tx = house.of(&sam).await;
        missing(service_request_create(&tx, &sam, &house.settings, wanted(&kind, "2")).await);
        let (kept, _) = service_request_seen_by(&tx, &sam, &house.settings, row.id).await.expect("sees");
        assert_eq!(kept, row);
    }

    async fn two_who_act_at_once_take_one_step(db: TestDb) {
        let house = House::new(db).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let kind = house.request_type().await;
        for _ in 0..8 {
            let row = ask(&house, &sam, &kind).await;
            let (one, two, three) = tokio::join!(
                act(&house, &row, Act::Review, None),
                cancel(&house, &sam, &row),
                act(&house, &row, Act::Reject, Some("No.")),
            );
            let done = [&one, &two, &three].into_iter().flatten().count();
            // Rejecting is possible after looking, too.
            let states = [&one, &two, &three].map(|done| done.as_ref().map(|row| row.state).ok());
            assert!(done == 1 || states == [Some(State::InReview), None, Some(State::Rejected)], "{one:?} {two:?} {three:?}");
            let tx = house.staff().await;
            let steps = tx.service_request_steps(row.id).await.expect("reads");
            assert_eq!(steps.len(), 1 + done);
            let state = tx.service_request(row.id).await.expect("reads").state;
            assert_eq!(steps.last().map(|step| step.state), Some(state));
        }
    }
}
