//! What only this vendor does, against its simulator.

use std::sync::Arc;

use connector_smtp2go::{Simulator, Smtp2go};
use integration::{
    Connector, CredentialsForm, Domain, Entity, Kind, MailDraft, MailSender, MailUsage, Method, Position, Pull,
    SendMail, Vendor,
};
use serde_json::{Map, Value};
use vendorkit::{Fault, Faulty, Plan, Simulated, Simulator as _, World, WorldSize, a_tuesday};

const BASE: &str = "https://simulated.example/smtp2go";
const OWN: Position<'_> = Position { entity: Some("account"), cursor: None, since: None };

fn vendor() -> Arc<Simulated> {
    Arc::new(Simulated::new(Arc::new(Simulator::default()), World::generate(WorldSize::SMALL, 7, a_tuesday())))
}

fn connect(form: &Map<String, Value>, transport: Arc<dyn integration::Transport>) -> Smtp2go {
    Smtp2go::connect(<Smtp2go as Vendor>::Credentials::parse(form).unwrap(), transport)
}

fn draft(vendor: &Simulated, to: &[&str]) -> MailDraft {
    MailDraft {
        from: vendor.read(|world| format!("Desk <desk@{}>", world.businesses()[0].domain)),
        to: to.iter().map(|&one| one.to_owned()).collect(),
        subject: "Invitation".into(),
        text: "Come in.".into(),
        ..MailDraft::default()
    }
}

async fn usage(smtp2go: &Smtp2go) -> MailUsage {
    let page = Pull::<MailUsage>::page(smtp2go, OWN).await.unwrap();
    Pull::<MailUsage>::read(smtp2go, &page.records[0]).unwrap().record
}

#[tokio::test]
async fn a_new_key_sends_but_lists_nothing() {
    let vendor = vendor();
    let smtp2go = connect(&Simulator::new_key(BASE), vendor.clone());
    assert_eq!(smtp2go.check().await.unwrap().warnings.len(), 5);
    let page = Pull::<Entity>::page(&smtp2go, Position::default()).await.unwrap();
    assert_eq!(Pull::<Entity>::read(&smtp2go, &page.records[0]).unwrap().record.name, "Mail relay");
    assert_eq!(Pull::<Domain>::page(&smtp2go, OWN).await.unwrap_err().kind, Kind::Forbidden);
    let sent = smtp2go.send_mail(&draft(&vendor, &["jo@elsewhere.example"])).await.unwrap();
    assert!(sent.id.is_some());
}

#[tokio::test]
async fn what_is_sent_is_counted_and_what_is_refused_is_not() {
    let vendor = vendor();
    let smtp2go = connect(&Simulator::default().credentials(BASE), vendor.clone());
    let before = usage(&smtp2go).await;
    let mixed = draft(&vendor, &["Jo <jo@elsewhere.example>", "gone@suppressed.example"]);
    let sent = smtp2go.send_mail(&mixed).await.unwrap();
    assert_eq!(sent.refused.len(), 1, "{sent:?}");
    let error = smtp2go.send_mail(&draft(&vendor, &["gone@suppressed.example"])).await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    let after = usage(&smtp2go).await;
    assert_eq!((after.used, after.sent), (before.used.map(|n| n + 1), before.sent.map(|n| n + 1)));
}

#[tokio::test]
async fn nothing_is_sent_that_could_mean_something_else() {
    let vendor = vendor();
    let smtp2go = connect(&Simulator::default().credentials(BASE), vendor.clone());
    vendor.clear_log();
    let crowd: Vec<String> = (0..101).map(|number| format!("u{number}@elsewhere.example")).collect();
    let good = draft(&vendor, &["jo@elsewhere.example"]);
    for bad in [
        MailDraft { to: crowd, ..good.clone() },
        MailDraft { to: vec!["jo@elsewhere.example\r\nBcc: all@elsewhere.example".into()], ..good.clone() },
        MailDraft { subject: "Hello\nBcc: all@elsewhere.example".into(), ..good.clone() },
        MailDraft { reply_to: Some("a@elsewhere.example\r\nX: y".into()), ..good.clone() },
    ] {
        assert_eq!(smtp2go.send_mail(&bad).await.unwrap_err().kind, Kind::Refused);
    }
    let other = Position { entity: Some("another"), ..Position::default() };
    assert_eq!(Pull::<Domain>::page(&smtp2go, other).await.unwrap_err().kind, Kind::NotFound);
    assert_eq!(vendor.count(), 0);
}

#[tokio::test]
async fn reads_may_be_repeated_though_they_are_posts() {
    let vendor = vendor();
    let smtp2go = connect(&Simulator::default().credentials(BASE), vendor.clone());
    usage(&smtp2go).await;
    Pull::<MailSender>::page(&smtp2go, OWN).await.unwrap();
    Pull::<Entity>::page(&smtp2go, Position::default()).await.unwrap();
    let asked = vendor.requests();
    assert!(asked.len() == 3 && asked.iter().all(|one| one.method == Method::Post && one.idempotent));
}

/// A row that is no object could hold the password anywhere: it is rejected, and nothing of it is kept.
#[tokio::test]
async fn a_password_in_an_odd_row_goes_no_further() {
    let vendor = vendor();
    let odd = Fault::Alter(Arc::new(|_, mut response| {
        let rows = r#"[["printers","plain-0001"],{"username":"a","Email_Password":"plain-0002","smtp_password":"x"}]"#;
        response.body = format!(r#"{{"request_id":"1","data":{{"results":{rows}}}}}"#).into();
        response
    }));
    let faulty = Arc::new(Faulty::over(vendor, Plan::Always(odd)));
    let smtp2go = connect(&Simulator::default().credentials(BASE), faulty);
    let cursor = integration::Cursor::new("users");
    let page = Pull::<MailSender>::page(&smtp2go, Position { cursor: Some(&cursor), ..OWN }).await.unwrap();
    let raws: Vec<&str> = page.records.iter().map(|raw| std::str::from_utf8(raw).unwrap()).collect();
    assert_eq!(raws, ["null", r#"{"username":"a"}"#]);
    assert!(Pull::<MailSender>::read(&smtp2go, &page.records[0]).is_err());
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_found_again() {
    let vendor = vendor();
    let faulty = Arc::new(Faulty::over(vendor.clone(), Plan::Writes(Fault::AnswerLost)));
    let smtp2go = connect(&Simulator::default().credentials(BASE), faulty.clone());
    let before = vendor.read(|world| world.now);
    let letter = MailDraft { reference: Some("letter-1".into()), ..draft(&vendor, &["Jo <jo@elsewhere.example>"]) };
    assert_eq!(smtp2go.send_mail(&letter).await.unwrap_err().kind, Kind::Unavailable);
    assert!(smtp2go.find_mail(&letter, before).await.unwrap().is_some(), "it was taken");
    faulty.set(Plan::Writes(Fault::Reset));
    let lost = MailDraft { reference: Some("letter-2".into()), ..letter.clone() };
    assert_eq!(smtp2go.send_mail(&lost).await.unwrap_err().kind, Kind::Unavailable);
    assert_eq!(smtp2go.find_mail(&lost, before).await.unwrap(), None, "it never arrived");
    let later = before + chrono::TimeDelta::hours(1);
    assert_eq!(smtp2go.find_mail(&letter, later).await.unwrap(), None, "that was before");
}

#[tokio::test]
async fn subaccounts_are_entities_with_listings_of_their_own() {
    let vendor = vendor();
    let master = connect(&Simulator::master(BASE), vendor.clone());
    assert!(master.check().await.unwrap().warnings.is_empty());
    let (mut entities, mut cursor) = (Vec::new(), None);
    loop {
        let page = Pull::<Entity>::page(&master, Position { cursor: cursor.as_ref(), ..Position::default() }).await;
        let page = page.unwrap();
        entities.extend(page.records.iter().map(|raw| Pull::<Entity>::read(&master, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // Four subaccounts, of which one is closed, after the account itself.
    assert_eq!(entities.len(), 4, "{entities:?}");
    assert_eq!(entities[0].id, "account");
    let names: Vec<String> =
        vendor.read(|world| world.businesses()[1..4].iter().map(|one| one.name_at("smtp2go").to_owned()).collect());
    assert_eq!(entities[1..].iter().map(|one| one.record.name.clone()).collect::<Vec<_>>(), names);
    for (at, entity) in entities.iter().enumerate() {
        let of = Position { entity: Some(&entity.id), ..Position::default() };
        let page = Pull::<Domain>::page(&master, of).await.unwrap();
        let domain = Pull::<Domain>::read(&master, &page.records[0]).unwrap().record.name;
        assert_eq!(domain, vendor.read(|world| world.businesses()[at].domain.clone()));
        let page = Pull::<MailUsage>::page(&master, of).await.unwrap();
        let usage = Pull::<MailUsage>::read(&master, &page.records[0]).unwrap().record;
        assert_eq!(usage.name, entity.record.name);
        let people = vendor.read(|world| world.businesses()[at].people.len() as i64);
        assert_eq!((usage.used, usage.limit, usage.sent), (Some(people * 20), Some(10_000), Some(people * 110)));
        assert!(Pull::<MailSender>::page(&master, of).await.is_ok());
    }
    // Without the setting nothing of them can be asked for.
    let plain = connect(&Simulator::default().credentials(BASE), vendor.clone());
    let of = Position { entity: Some(&entities[1].id), ..Position::default() };
    assert_eq!(Pull::<Domain>::page(&plain, of).await.unwrap_err().kind, Kind::NotFound);
}
