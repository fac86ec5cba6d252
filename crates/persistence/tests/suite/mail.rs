use chrono::TimeDelta;
use domain::{Error, Letter, MailState, OrganisationId};
use persistence::{Apply, KeyRing, MailToSend, NewMail, OsChance, Store, StoreOptions};
use testkit::{TestDb, both_databases};

const LINK: &str = "https://kite.example/invitation#a-secret-token";

fn letter(name: &str) -> Letter {
    Letter::PasswordReset {
        organisation: "Kite".into(),
        name: name.into(),
        link: LINK.into(),
        expires_at: domain::Timestamp::UNIX_EPOCH,
    }
}

fn new(key: &str) -> NewMail {
    NewMail {
        recipient: "jo@kite.example".into(),
        recipient_name: Some("Jo".into()),
        letter: letter("Jo"),
        key: key.into(),
        send_before: None,
    }
}

async fn jobs(db: &TestDb) -> Vec<persistence::ClaimedJob> {
    let across = db.store.across().await.expect("begins");
    let jobs = across.jobs_claim(10, db.now(), TimeDelta::seconds(30)).await.expect("claims");
    across.commit().await.expect("commits");
    jobs
}

async fn list(db: &TestDb, organisation: OrganisationId) -> Vec<persistence::MailRow> {
    db.store.read(db.context(organisation)).await.expect("begins").mail_list().await.expect("lists")
}

both_databases! {
    async fn a_letter_is_a_row_and_a_job_and_is_written_once_for_its_key(db: TestDb) {
        let organisation = db.organisation("Kite").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let id = tx.mail_enqueue(&new("a:1")).await.expect("enqueues").expect("is new");
        assert_eq!(tx.mail_enqueue(&new("a:1")).await.expect("asks"), None);
        assert!(tx.mail_enqueue(&new("a:2")).await.expect("enqueues").is_some());
        assert!(tx.changes().is_empty(), "a letter stands in no journal");
        tx.commit_unjournalled().await.expect("commits");
        let jobs = jobs(&db).await;
        assert_eq!(jobs.len(), 2);
        assert!(jobs.iter().any(|job| MailToSend::id_in(&job.payload) == Some(id)), "{jobs:?}");
        assert!(jobs.iter().all(|job| !job.payload.contains("secret") && job.kind == "mail"), "{jobs:?}");
        let rows = list(&db, organisation).await;
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].state, rows[0].attempts, rows[0].kind.as_str()), (MailState::Queued, 0, "password_reset"));
    }

    async fn nothing_is_sent_for_what_was_rolled_back_or_only_previewed(db: TestDb) {
        let organisation = db.organisation("Kite").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.mail_enqueue(&new("a")).await.expect("enqueues");
        tx.finish("staff_invite", &Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.mail_enqueue(&new("a")).await.expect("enqueues");
        drop(tx);
        assert!(jobs(&db).await.is_empty());
        assert!(list(&db, organisation).await.is_empty());
    }

    async fn what_it_says_is_sealed_and_goes_once_it_was_sent_or_given_up(db: TestDb) {
        let organisation = db.organisation("Kite").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let sent = tx.mail_enqueue(&new("sent")).await.expect("enqueues").expect("is new");
        let lost = tx.mail_enqueue(&new("lost")).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let taken = tx.mail_take(sent).await.expect("takes").expect("waits");
        assert_eq!((taken.row.attempts, taken.recipient_name.as_deref()), (1, Some("Jo")));
        assert_eq!(taken.letter, letter("Jo"));
        assert!(!format!("{taken:?}").contains("secret"));
        tx.mail_note(sent, "421 later\r\nplease").await.expect("notes");
        tx.commit_unjournalled().await.expect("commits");
        db.clock.advance(60);
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        assert_eq!(tx.mail_take(sent).await.expect("takes").expect("waits").row.last_error.as_deref(), Some("421 later  please"));
        tx.mail_sent(sent).await.expect("ends");
        // Whoever comes late changes nothing.
        tx.mail_give_up(sent, "too late").await.expect("does nothing");
        tx.mail_give_up(lost, "550 nobody").await.expect("ends");
        assert!(tx.mail_take(sent).await.expect("asks").is_none());
        assert!(tx.mail_take(lost).await.expect("asks").is_none());
        tx.commit_unjournalled().await.expect("commits");
        let rows = list(&db, organisation).await;
        let states: Vec<_> = [sent, lost].map(|id| rows.iter().find(|row| row.id == id).expect("is listed").state).into();
        assert_eq!(states, [MailState::Sent, MailState::Failed]);
        assert_eq!(db.tamper("UPDATE mail SET body = NULL WHERE body IS NOT NULL").await.expect("asks"), 0);
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        assert_eq!(tx.mails_forget(db.now() - TimeDelta::days(1)).await.expect("forgets"), 0);
        assert_eq!(tx.mails_forget(db.now() + TimeDelta::days(1)).await.expect("forgets"), 2);
    }

    async fn a_letter_that_would_write_headers_is_refused(db: TestDb) {
        let organisation = db.organisation("Kite").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        for mail in [
            NewMail { letter: letter("Jo\r\nBcc: all@kite.example"), ..new("a") },
            NewMail { recipient_name: Some("Jo\nX".into()), ..new("a") },
            NewMail { recipient: "jo@kite.example\r\nBcc: all@kite.example".into(), ..new("a") },
        ] {
            assert!(matches!(tx.mail_enqueue(&mail).await, Err(Error::Invalid(_))), "{mail:?}");
        }
    }

    async fn letters_of_one_organisation_are_not_anothers(db: TestDb) {
        let (one, two) = (db.organisation("One").await, db.organisation("Two").await);
        let tx = db.store.begin(db.context(one)).await.expect("begins");
        let id = tx.mail_enqueue(&new("a")).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        assert!(list(&db, two).await.is_empty());
        let tx = db.store.begin(db.context(two)).await.expect("begins");
        assert!(tx.mail_take(id).await.expect("asks").is_none());
        assert!(tx.mail_enqueue(&new("a")).await.expect("enqueues").is_some(), "a key belongs to its organisation");
    }

    async fn a_new_key_seals_what_waits_anew(db: TestDb) {
        let organisation = db.organisation("Kite").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let id = tx.mail_enqueue(&new("a")).await.expect("enqueues").expect("is new");
        tx.commit_unjournalled().await.expect("commits");
        let old = "1:dGhpcyBrZXkgaXMgZm9yIHRlc3RzIG9ubHkgMTIzNDU=";
        let new = KeyRing::generate(&OsChance).replacen("1:", "2:", 1);
        let open = async |keys: &str| {
            let mut options = StoreOptions::new(&db.url, KeyRing::parse(keys).expect("parses"));
            options.clock = db.clock.clone();
            Store::connect(options).await.expect("opens")
        };
        let both = open(&format!("{new},{old}")).await;
        let tx = both.begin(db.context(organisation)).await.expect("begins");
        assert_eq!(tx.mails_reseal().await.expect("seals"), 1);
        assert_eq!(tx.mails_reseal().await.expect("seals"), 0);
        assert_eq!(tx.mail_take(id).await.expect("opens").expect("waits").letter, letter("Jo"));
    }
}
