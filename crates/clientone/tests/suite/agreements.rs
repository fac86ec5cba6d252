use clientone::{
    AgreementDraft, AgreementPatch, Sending, SignatureGiven, agreement_create, agreement_decline, agreement_revise,
    agreement_send, agreement_sign, agreement_update, agreement_view, agreement_withdraw, sections_shown,
    signature_holds, text_hash,
};
use domain::{
    Agreement, AgreementId, AgreementInstance, AgreementInstanceId, AgreementState as State, ClientId, Error,
    PortalRole, PortalUserId, Section,
};
use persistence::PortalUserRow;
use testkit::both_databases;

use crate::house::{House, conflict, missing};

async fn draft(house: &House, text: &str, managers_only: bool) -> Agreement {
    let tx = house.staff().await;
    let draft = AgreementDraft { title: "Terms".to_owned(), text: text.to_owned(), managers_only };
    let row = agreement_create(&tx, draft).await.expect("makes");
    tx.commit("agreement_create", None).await.expect("commits");
    row
}

async fn send(
    house: &House,
    id: AgreementId,
    clients: &[ClientId],
    addressee: Option<PortalUserId>,
) -> Result<Vec<AgreementInstance>, Error> {
    let tx = house.staff().await;
    let (_, copies) = agreement_send(&tx, id, Sending { clients: clients.to_vec(), addressee }, None).await?;
    tx.commit("agreement_send", None).await?;
    Ok(copies)
}

async fn view(house: &House, user: &PortalUserRow, id: AgreementInstanceId) -> Result<AgreementInstance, Error> {
    let tx = house.of(user).await;
    let copy = agreement_view(&tx, user, &house.settings, id).await?;
    tx.commit("agreement_view", None).await?;
    Ok(copy)
}

async fn sign(
    house: &House,
    user: &PortalUserRow,
    id: AgreementInstanceId,
    text: &str,
) -> Result<AgreementInstance, Error> {
    let tx = house.of(user).await;
    let user_agent = Some("Browser".to_owned());
    let given = SignatureGiven { name: format!(" {} ", user.name), text_hash: text_hash(text), user_agent };
    let (copy, _) = agreement_sign(&tx, user, &house.settings, id, given).await?;
    tx.commit("agreement_sign", None).await?;
    Ok(copy)
}

async fn decline(house: &House, user: &PortalUserRow, id: AgreementInstanceId) -> Result<AgreementInstance, Error> {
    let tx = house.of(user).await;
    let (copy, _) = agreement_decline(&tx, user, &house.settings, id, "Too long.").await?;
    tx.commit("agreement_decline", None).await?;
    Ok(copy)
}

async fn withdraw(house: &House, id: AgreementInstanceId) -> Result<AgreementInstance, Error> {
    let tx = house.staff().await;
    let copy = agreement_withdraw(&tx, id).await?;
    tx.commit("agreement_withdraw", None).await?;
    Ok(copy)
}

async fn state(house: &House, id: AgreementInstanceId) -> State {
    house.staff().await.agreement_instance(id).await.expect("reads").state
}

both_databases! {
    async fn what_was_signed_is_kept_as_it_was(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let tx = house.of(&pat).await;
        let config = tx.portal_config(house.client).await.expect("reads");
        assert!(!sections_shown(&tx, &pat, &config).await.expect("asks").contains(&Section::Agreements));
        drop(tx);
        let terms = draft(&house, "# Terms\r\n\r\nAll of it. ", true).await;
        assert_eq!(terms.text, "# Terms\n\nAll of it.");
        let copy = send(&house, terms.id, &[house.client], None).await.expect("sends").remove(0).id;
        assert_eq!(house.letters().await, 1, "to the Manager");
        let tx = house.of(&sam).await;
        assert!(sections_shown(&tx, &sam, &config).await.expect("asks").contains(&Section::Agreements));
        drop(tx);

        // Nothing of it changes from now on.
        let tx = house.staff().await;
        let patch = AgreementPatch { text: Some("Other".to_owned()), ..AgreementPatch::default() };
        assert_eq!(conflict(agreement_update(&tx, terms.id, patch).await), "sent_already");
        let sent = tx.agreement(terms.id).await.expect("reads");
        let forged = Agreement { text: "Other".to_owned(), ..sent.clone() };
        assert_eq!(conflict(tx.agreement_save(&sent, forged).await), "sent_already");
        drop(tx);

        assert_eq!(conflict(sign(&house, &pat, copy, &terms.text).await), "wrong_state", "is signed unread");
        assert_eq!(view(&house, &sam, copy).await.expect("reads").state, State::Pending);
        assert!(matches!(sign(&house, &sam, copy, &terms.text).await, Err(Error::PortalForbidden { .. })));
        assert_eq!(view(&house, &pat, copy).await.expect("reads").state, State::Viewed);
        assert_eq!(conflict(sign(&house, &pat, copy, "Other").await), "other_text");
        let signed = sign(&house, &pat, copy, &terms.text).await.expect("signs");
        let signature = signed.signature.clone().expect("a signature");
        assert_eq!((signature.by, signature.name.as_str(), signature.at), (pat.id, "pat", house.db.now()));
        assert_eq!(signature.source_address.as_deref(), Some("192.0.2.7"));
        assert_eq!(signature.user_agent.as_deref(), Some("Browser"));
        assert!(signature_holds(&sent, &signature));
        for refused in [sign(&house, &pat, copy, &terms.text).await, decline(&house, &pat, copy).await, withdraw(&house, copy).await] {
            assert_eq!(conflict(refused), "wrong_state");
        }

        // Through a new version and the end of ClientOne for the client.
        let tx = house.staff().await;
        let next = agreement_revise(&tx, terms.id).await.expect("makes");
        assert_eq!((next.number, next.series_id), (2, terms.id));
        assert_eq!(conflict(agreement_revise(&tx, terms.id).await), "draft_exists");
        tx.commit("agreement_revise", None).await.expect("commits");
        send(&house, next.id, &[house.client], None).await.expect("sends");
        let tx = house.staff().await;
        clientone::clientone_disable(&tx, house.client).await.expect("disables");
        tx.commit("clientone_disable", None).await.expect("commits");
        let kept = house.staff().await.agreement_instance(copy).await.expect("reads");
        assert_eq!(kept, signed);
        // Whoever changes the text behind our back is found out.
        house.db.tamper("UPDATE agreement SET text = 'forged' WHERE number = 1").await.expect("tampers");
        let forged = house.staff().await.agreement(terms.id).await.expect("reads");
        assert!(!signature_holds(&forged, &signature));
    }

    async fn a_new_version_supersedes_what_waits_and_nothing_else(db: TestDb) {
        let house = House::new(db).await;
        let (pier, cove) = (house.another("Pier").await, house.another("Cove").await);
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let kim = house.person(pier, "kim", PortalRole::Manager).await;
        let clients = [house.client, pier, cove];
        let terms = draft(&house, "One", true).await;
        let copies: Vec<_> = send(&house, terms.id, &clients, None).await.expect("sends").iter().map(|one| one.id).collect();
        missing(view(&house, &kim, copies[0]).await);
        missing(sign(&house, &kim, copies[0], "One").await);
        view(&house, &pat, copies[0]).await.expect("reads");
        sign(&house, &pat, copies[0], "One").await.expect("signs");
        view(&house, &kim, copies[1]).await.expect("reads");
        let tx = house.staff().await;
        let next = agreement_revise(&tx, terms.id).await.expect("makes");
        tx.commit("agreement_revise", None).await.expect("commits");
        send(&house, next.id, &[pier], None).await.expect("sends");
        let states = [state(&house, copies[0]).await, state(&house, copies[1]).await, state(&house, copies[2]).await];
        assert_eq!(states, [State::Signed, State::Superseded, State::Superseded]);
        assert_eq!(conflict(send(&house, terms.id, &[cove], None).await), "newer_version");
        assert_eq!(conflict(sign(&house, &kim, copies[1], "One").await), "wrong_state");
        // One copy of a version for each client, until it is withdrawn or declined.
        let again = send(&house, next.id, &[pier], None).await;
        assert!(matches!(&again, Err(Error::Invalid(problems)) if problems[0].code == "sent_already"), "{again:?}");
        let waiting = house.staff().await.agreement_instances_open(terms.id).await.expect("reads");
        assert_eq!(waiting.len(), 1);
        withdraw(&house, waiting[0].id).await.expect("withdraws");
        let second = send(&house, next.id, &[pier], None).await.expect("sends").remove(0).id;
        view(&house, &kim, second).await.expect("reads");
        assert_eq!(decline(&house, &kim, second).await.expect("declines").reason.as_deref(), Some("Too long."));
        send(&house, next.id, &[pier], None).await.expect("sends");
    }

    async fn only_those_meant_sign(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let max = house.person(house.client, "max", PortalRole::Manager).await;
        let sam = house.person(house.client, "sam", PortalRole::User).await;
        let pier = house.another("Pier").await;
        let terms = draft(&house, "One", true).await;
        for (clients, person, code) in [
            (vec![house.client], sam.id, "not_a_manager"),
            (vec![pier], pat.id, "other_client"),
            (vec![house.client, pier], pat.id, "other_client"),
        ] {
            let refused = send(&house, terms.id, &clients, Some(person)).await;
            assert!(matches!(&refused, Err(Error::Invalid(problems)) if problems[0].code == code), "{refused:?}");
        }
        let for_pat = send(&house, terms.id, &[house.client], Some(pat.id)).await.expect("sends").remove(0).id;
        let open = draft(&house, "Two", false).await;
        let for_sam = send(&house, open.id, &[house.client], Some(sam.id)).await.expect("sends").remove(0).id;
        for (copy, text, meant, others) in [(for_pat, "One", &pat, [&max, &sam]), (for_sam, "Two", &sam, [&pat, &max])] {
            for other in others {
                assert_eq!(view(&house, other, copy).await.expect("reads").state, State::Pending);
                let refused = sign(&house, other, copy, text).await;
                assert!(matches!(refused, Err(Error::PortalForbidden { .. })), "{refused:?}");
            }
            view(&house, meant, copy).await.expect("reads");
            sign(&house, meant, copy, text).await.expect("signs");
        }
    }

    async fn many_who_decide_at_once_come_to_one_outcome(db: TestDb) {
        let house = House::new(db).await;
        let pat = house.person(house.client, "pat", PortalRole::Manager).await;
        let max = house.person(house.client, "max", PortalRole::Manager).await;
        for _ in 0..6 {
            let terms = draft(&house, "One", true).await;
            let copy = send(&house, terms.id, &[house.client], None).await.expect("sends").remove(0).id;
            let (one, two) = tokio::join!(view(&house, &pat, copy), view(&house, &max, copy));
            assert_eq!((one.expect("reads").state, two.expect("reads").state), (State::Viewed, State::Viewed));
            let (a, b, c, d, e) = tokio::join!(
                sign(&house, &pat, copy, "One"),
                decline(&house, &max, copy),
                sign(&house, &max, copy, "One"),
                withdraw(&house, copy),
                decline(&house, &pat, copy),
            );
            let all = [a, b, c, d, e];
            let done: Vec<&AgreementInstance> = all.iter().flatten().collect();
            assert_eq!(done.len(), 1, "{all:?}");
            let kept = house.staff().await.agreement_instance(copy).await.expect("reads");
            assert_eq!(&kept, done[0]);
            assert_eq!(kept.signature.is_some(), kept.state == State::Signed);
            assert_eq!(kept.reason.is_some(), kept.state == State::Declined);
            for refused in all {
                if refused.is_err() {
                    assert_eq!(conflict(refused), "wrong_state");
                }
            }
        }
    }
}
