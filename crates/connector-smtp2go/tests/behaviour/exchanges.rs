//! What becomes of the exchanges in `tests/vendor`, record by record.

use std::{sync::Arc, time::Duration};

use connector_smtp2go::Smtp2go;
use integration::{
    Connector, CredentialsForm, Domain, Entity, Kind, MailDraft, MailSender, MailUsage, Position, Pull, RecordType,
    Result, Retry, SendMail, SentMail, Vendor,
};
use serde_json::{Value, json};
use vendorkit::Replay;

fn replay(files: &[&str]) -> (Smtp2go, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    let credentials = <Smtp2go as Vendor>::Credentials::parse(&<Smtp2go as Vendor>::Credentials::example()).unwrap();
    (Smtp2go::connect(credentials, replay.clone()), replay)
}

/// Every record of the account's listing as it is stored, by id, and every raw one.
async fn stored<T: RecordType>(files: &[&str]) -> (Vec<(String, Value)>, String)
where
    Smtp2go: Pull<T>,
{
    let (smtp2go, replay) = replay(files);
    let (mut found, mut raws, mut cursor) = (Vec::new(), String::new(), None);
    loop {
        let at = Position { entity: Some("account"), cursor: cursor.as_ref(), since: None };
        let page = Pull::<T>::page(&smtp2go, at).await.unwrap();
        for raw in &page.records {
            raws.push_str(std::str::from_utf8(raw).unwrap());
            let item = Pull::<T>::read(&smtp2go, raw).unwrap();
            found.push((item.id, serde_json::to_value(item.record).unwrap()));
        }
        cursor = page.next;
        if cursor.is_none() {
            replay.finish().unwrap();
            return (found, raws);
        }
    }
}

#[tokio::test]
async fn domains_are_right_when_both_records_are() {
    let (found, _) = stored::<Domain>(&["domains"]).await;
    let said = |at: usize, keys: &[&str]| keys.iter().map(|key| found[at].1[*key].clone()).collect::<Vec<_>>();
    let keys = ["name", "verified", "dkim", "return_path", "problems"];
    assert_eq!(
        Value::from(said(0, &keys)),
        json!([
            "harbourdental.example",
            false,
            true,
            false,
            ["return path: CNAME not found", "link.harbourdental.example: CNAME points elsewhere"],
        ])
    );
    assert_eq!(Value::from(said(1, &keys)), json!(["right.example", true, true, true, []]));
    // Left out is not false.
    assert_eq!(Value::from(said(2, &keys)), json!(["begun.example", null, null, null, []]));
    assert_eq!(found[1].0, "right.example");
}

#[tokio::test]
async fn usage_has_the_period_and_the_last_thirty_days() {
    let (found, _) = stored::<MailUsage>(&["usage"]).await;
    assert_eq!(
        found,
        [(
            "account".to_owned(),
            json!({
                "name": "example-0001",
                "period_starts_at": "2026-05-01T00:00:00Z", "period_ends_at": "2026-05-31T00:00:00Z",
                "used": 1240, "limit": 10_000, "sent": 1198, "hard_bounces": 7, "soft_bounces": 3,
                "spam_complaints": 0, "unsubscribes": 1, "rejects": 2, "opens": 410, "clicks": 33,
            })
        )]
    );
}

#[tokio::test]
async fn senders_are_kept_without_their_passwords() {
    let (found, raws) = stored::<MailSender>(&["senders"]).await;
    assert!(!raws.contains("in-the-clear") && !raws.contains("password"), "{raws}");
    let of = |at: usize| (found[at].0.as_str(), found[at].1.clone());
    assert_eq!(
        of(1),
        (
            "sender front.desk@harbourdental.example",
            json!({
                "address": "front.desk@harbourdental.example", "class": "single sender", "verified": false,
                "allowed": null, "status": null, "description": null,
            })
        )
    );
    assert_eq!(
        of(2),
        (
            "user printers.harbourdental.example",
            json!({
                "address": "printers.harbourdental.example", "class": "SMTP user", "verified": null,
                "allowed": true, "status": "sandbox", "description": "Scan to mail",
            })
        )
    );
}

async fn sent(file: &str) -> Result<SentMail> {
    let (smtp2go, replay) = replay(&[file]);
    let draft = MailDraft {
        from: "alerts@harbourdental.example".into(),
        to: vec!["jo@harbourdental.example".into(), "gone@harbourdental.example".into()],
        subject: "Backups".into(),
        text: "All well.".into(),
        ..MailDraft::default()
    };
    let outcome = smtp2go.send_mail(&draft).await;
    replay.finish().unwrap();
    assert!(replay.requests().iter().all(|request| !request.idempotent), "a transport would send it again");
    outcome
}

#[tokio::test]
async fn refused_recipients_of_a_success_are_told() {
    let mail = sent("send-partly").await.unwrap();
    assert_eq!(mail.id.as_deref(), Some("1x7QaM-C4kTr2mmLs-PQ14"));
    assert_eq!(mail.refused, ["gone@harbourdental.example is suppressed", "no mailbox"]);
    let error = sent("send-to-nobody").await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("gone@harbourdental.example is suppressed"));
}

#[tokio::test]
async fn a_refused_message_is_told_in_the_vendors_words() {
    let error = sent("not-validating").await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Refused, Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("The payload does not validate; sender: is not verified"));
    assert_eq!(error.vendor_request_id.as_deref(), Some("22e5acba-43bf-11e6-ae42-408d5cce2645"));
    let error = sent("plan-exhausted").await.unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::Refused, Some(402)));
    assert!(error.message.contains("billing"), "{error}");
}

#[tokio::test]
async fn a_missing_permission_names_the_endpoint() {
    let (smtp2go, _) = replay(&["permission-denied"]);
    let at = Position { entity: Some("account"), ..Position::default() };
    let error = Pull::<Domain>::page(&smtp2go, at).await.unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (Kind::Forbidden, Retry::No, Some(400)));
    assert!(error.message.contains("/domain/view"), "{error}");

    let (smtp2go, _) = replay(&["permissions-few"]);
    let warnings = smtp2go.check().await.unwrap().warnings;
    let named: Vec<&str> =
        warnings.iter().filter_map(|words| words.split_once(':')?.0.split(' ').next_back()).collect();
    assert_eq!(named, ["/stats/email_summary", "/single_sender_emails/view", "/users/smtp/view", "/activity/search"]);
}

#[tokio::test]
async fn too_many_requests_mean_a_minute_of_rest() {
    let (smtp2go, _) = replay(&["throttled"]);
    let at = Position { entity: Some("account"), ..Position::default() };
    let error = Pull::<MailUsage>::page(&smtp2go, at).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Throttled, Retry::After(Duration::from_secs(60))));
}

fn letter() -> MailDraft {
    MailDraft {
        from: "PanelOne <no-reply@harbourdental.example>".into(),
        to: vec!["Jo <jo@harbourdental.example>".into()],
        reference: Some("01a2008a-0000-7000-8000-00000000000a".into()),
        ..MailDraft::default()
    }
}

#[tokio::test]
async fn a_message_that_was_refused_is_found_as_refused() {
    let since = "2026-05-12T07:40:00Z".parse().unwrap();
    let (smtp2go, played) = replay(&["find-rejected"]);
    let found = smtp2go.find_mail(&letter(), since).await.unwrap().expect("is known");
    played.finish().unwrap();
    assert_eq!(found.refused, ["jo@harbourdental.example: suppressed after a bounce"]);
    assert!(played.requests().iter().all(|request| request.idempotent), "to look is to read");
    // Not to be allowed to look is not to have found nothing.
    let (smtp2go, _) = replay(&["find-forbidden"]);
    let error = smtp2go.find_mail(&letter(), since).await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden);
    assert!(error.message.contains("/activity/search"), "{error}");
}

#[tokio::test]
async fn subaccounts_are_read_as_documented() {
    let master = |files: &[&str]| {
        let played = Arc::new(Replay::files("tests/vendor", files).unwrap());
        let mut form = <Smtp2go as Vendor>::Credentials::example();
        form.insert("subaccounts".into(), "listed".into());
        (Smtp2go::connect(<Smtp2go as Vendor>::Credentials::parse(&form).unwrap(), played.clone()), played)
    };
    let (smtp2go, played) = master(&["subaccounts-1", "subaccounts-2", "subaccount-domains"]);
    let mut read = Vec::new();
    let mut cursor = Some(integration::Cursor::new("subaccounts/"));
    while let Some(at) = cursor {
        let page = Pull::<Entity>::page(&smtp2go, Position { cursor: Some(&at), ..Position::default() }).await.unwrap();
        read.extend(page.records.iter().map(|raw| Pull::<Entity>::read(&smtp2go, raw)));
        cursor = page.next;
    }
    let brief: Vec<_> = read.iter().flatten().map(|item| (item.id.as_str(), item.record.active)).collect();
    assert_eq!(brief, [("subaccount/GnlKn5", Some(true)), ("subaccount/GnlKn6", Some(false))]);
    // One without an id is rejected, and never taken for the account itself.
    assert!(read.len() == 3 && read[2].is_err());
    let of = Position { entity: Some("subaccount/GnlKn5"), ..Position::default() };
    assert!(Pull::<Domain>::page(&smtp2go, of).await.unwrap().records.is_empty());
    played.finish().unwrap();
    let (smtp2go, played) = master(&["subaccounts-1", "subaccounts-2", "subaccount-history"]);
    let page = Pull::<MailUsage>::page(&smtp2go, of).await.unwrap();
    let usage = Pull::<MailUsage>::read(&smtp2go, &page.records[0]).unwrap().record;
    played.finish().unwrap();
    let said = (usage.name.as_str(), usage.used, usage.limit, usage.sent);
    assert_eq!(said, ("Harbour Dental", Some(120), Some(10_000), Some(110)));
    // The history does not tell hard bounces from soft ones.
    assert_eq!((usage.hard_bounces, usage.opens, usage.spam_complaints), (None, Some(37), Some(0)));
}
