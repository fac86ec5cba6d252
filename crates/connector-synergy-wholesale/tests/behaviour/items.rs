//! Single items, with the vendor's spellings and without its secrets.

use chrono::NaiveDate;
use integration::{Domain, Entity, Hosting, Kind};

use crate::script::{answer, connector, domains, first_page, read};

fn day(text: &str) -> Option<NaiveDate> {
    Some(text.parse().unwrap())
}

async fn one(item: &str) -> (String, Domain) {
    let (synergy, _) = connector([(200, domains(item))]);
    let page = first_page::<Domain>(&synergy).await.unwrap();
    let mut items = read::<Domain>(&synergy, &page);
    let item = items.pop().unwrap().unwrap();
    assert_eq!(item.id, item.record.name);
    (item.entity.unwrap(), item.record)
}

#[tokio::test]
async fn a_whole_domain() {
    let item = "<item xsi:type=\"tns:x\"><status>OK</status><domainName>HarbourDental.example.</domainName>\
        <domain_status>clientTransferProhibited</domain_status><domain_expiry>2027-01-02 03:04:05</domain_expiry>\
        <domain_created>2019-12-31 23:30:00</domain_created><nameServers><item>NS1.dns.example</item>\
        <item>ns2.dns.example.</item></nameServers><autoRenew xsi:type=\"xsd:int\">1</autoRenew>\
        <icannStatus>Verified</icannStatus><DSData><item><keyTag>1</keyTag></item></DSData>\
        <categories><item><id>39</id><name>Harbour Dental</name></item></categories></item>";
    let (entity, domain) = one(item).await;
    assert_eq!(entity, "39");
    assert_eq!(
        domain,
        Domain {
            name: "harbourdental.example".into(),
            status: Some("clientTransferProhibited".into()),
            registered_on: day("2019-12-31"),
            expires_on: day("2027-01-02"),
            auto_renew: Some(true),
            name_servers: vec!["ns1.dns.example".into(), "ns2.dns.example".into()],
            dnssec: Some(true),
            ..Domain::default()
        }
    );
}

#[tokio::test]
async fn spellings_differ_and_what_is_not_said_is_unknown() {
    let (entity, domain) =
        one("<item><status>OK_TRANSFER_PENDING</status><domainName>a.example</domainName><autoRenew>off</autoRenew>\
         <createdDate>2020-02-30 00:00:00</createdDate><domain_create>2020-02-03</domain_create><DSData/>\
         <domain_expiry>0000-00-00 00:00:00</domain_expiry><category><id>7</id><name>Seven</name></category></item>")
        .await;
    assert_eq!(entity, "7");
    assert_eq!(domain.status.as_deref(), Some("OK_TRANSFER_PENDING"));
    assert_eq!((domain.registered_on, domain.expires_on), (day("2020-02-03"), None));
    assert_eq!((domain.auto_renew, domain.dnssec), (Some(false), Some(false)));

    let (entity, domain) =
        one("<item><status>OK</status><domainName>b.example</domainName><domainStatus>newly invented</domainStatus>\
         <autoRenew xsi:nil=\"true\"/><nameServers/><categories/><icannStatus>Suspended</icannStatus></item>")
        .await;
    assert_eq!(entity, "uncategorised");
    assert_eq!(domain.status.as_deref(), Some("newly invented"));
    assert_eq!((domain.auto_renew, domain.dnssec, domain.expires_on), (None, None, None));
    assert_eq!(domain.problems, ["ICANN: Suspended"]);

    // A time with a zone is a day of the vendor's zone.
    let (_, domain) =
        one("<item><domainName>c.example</domainName><domain_expiry>2027-01-01T20:00:00Z</domain_expiry>\
         <autoRenew>perhaps</autoRenew></item>")
        .await;
    assert_eq!((domain.expires_on, domain.auto_renew), (day("2027-01-02"), None));
}

#[tokio::test]
async fn several_categories_are_a_problem_that_is_named() {
    let (entity, domain) =
        one("<item><domainName>a.example</domainName><categories><item><id></id><name>Alder</name></item>\
         <item><id>8</id><name>Birch</name></item></categories></item>")
        .await;
    assert_eq!(entity, "Alder", "a category without an id goes by its name");
    assert_eq!(domain.problems, ["It is in several categories (Alder, Birch) and counts for Alder"]);
}

#[tokio::test]
async fn an_item_with_an_error_is_gone_or_refused_but_never_silent() {
    let items = "<item><status>OK</status><domainName>a.example</domainName></item>\
        <item><status>ERR_DOMAIN_NOT_FOUND</status><errorMessage>No</errorMessage><domainName>gone.example</domainName>\
        </item><item><status>ERR_DOMAIN_INFO_FAILED</status><domainName>hidden.example</domainName></item>";
    let (synergy, _) = connector([(200, domains(items))]);
    let page = first_page::<Domain>(&synergy).await.unwrap();
    assert!(page.removed.is_empty(), "nothing is removed on the word of an error");
    let [Ok(seen), Err(why)] = &read::<Domain>(&synergy, &page)[..] else { panic!("two records") };
    assert_eq!(seen.id, "a.example");
    assert_eq!(why, "Synergy Wholesale tells nothing of a domain but ERR_DOMAIN_INFO_FAILED");
}

#[tokio::test]
async fn secrets_do_not_leave_the_connector() {
    let item = "<item><domainName>a.example</domainName><domainPassword>EPP-one</domainPassword>\
        <eppCode>EPP-two</eppCode><contacts><registrant><email>who@a.example</email></registrant></contacts>\
        <categories><item><id>1</id><name>N</name><note>EPP-three</note><password>EPP-four</password></item></categories>\
        </item>";
    let (synergy, _) = connector([(200, domains(item))]);
    let page = first_page::<Domain>(&synergy).await.unwrap();
    assert_eq!(page.records, [r#"{"categories":[{"id":"1","name":"N"}],"domainName":"a.example"}"#]);

    let item = "<item><status>OK</status><hoid>59d1</hoid><domain>a.example</domain><password>PW</password>\
        <username>harbourd</username></item>";
    let hosting = answer("listHosting", &format!("<status>OK</status><hoidList>{item}</hoidList>"));
    let (synergy, _) = connector([(200, domains("")), (200, hosting)]);
    let page = first_page::<Hosting>(&synergy).await.unwrap();
    assert_eq!(page.records, [r#"{"belongsTo":"uncategorised","domain":"a.example","hoid":"59d1","status":"OK"}"#]);
}

#[tokio::test]
async fn a_hosting_service_goes_by_its_domain() {
    let known = "<item><domainName>a.example</domainName><categories><item><id>39</id><name>A</name></item></categories>\
        </item>";
    let item = "<item><status>OK</status><hoid>59d1c0f889700</hoid><domain>Mail.A.example</domain>\
        <serviceStatus>Suspended By Staff</serviceStatus><server>WSH1</server><plan>EW1</plan>\
        <billingPeriod>monthly</billingPeriod><nextRenewalDue>2026-10-31 23:59:59</nextRenewalDue>\
        <diskUsage>1.5 GB</diskUsage><diskLimit>2048</diskLimit></item>";
    // The manual's name for the list.
    let hosting = answer("listHosting", &format!("<status>OK</status><domainList>{item}</domainList>"));
    let (synergy, script) = connector([(200, domains(known)), (200, hosting)]);
    let page = first_page::<Hosting>(&synergy).await.unwrap();
    let [Ok(item)] = &read::<Hosting>(&synergy, &page)[..] else { panic!("one service") };
    assert_eq!((item.id.as_str(), item.entity.as_deref()), ("59d1c0f889700", Some("39")));
    assert_eq!(
        item.record,
        Hosting {
            name: "mail.a.example".into(),
            plan: Some("EW1".into()),
            status: Some("Suspended By Staff".into()),
            server: Some("WSH1".into()),
            billing_term: Some("monthly".into()),
            renews_on: day("2026-10-31"),
            disk_used: Some(1_610_612_736),
            // Without a unit nobody knows what it counts.
            disk_limit: None,
        }
    );
    assert_eq!(script.documents().len(), 2);
}

#[tokio::test]
async fn categories_come_with_their_domains() {
    let categories = "<status>OK</status><domainCategories><item><id>39</id><name>Harbour &amp; Sons</name><note/>\
        <createdDate>2024-02-02 00:00:00</createdDate></item><item><id/><name>No id</name></item><item><id/><name/>\
        </item></domainCategories>";
    let items = "<item><domainName>b.example</domainName><categories><item><id>39</id></item><item><name>No id</name>\
        </item></categories></item><item><domainName>a.example</domainName><categories><item><id>39</id></item>\
        </categories></item><item><domainName>c.example</domainName></item>";
    let answers = [(200, answer("listDomainCategories", categories)), (200, domains(items))];
    let (synergy, _) = connector(answers);
    let page = first_page::<Entity>(&synergy).await.unwrap();
    let [Ok(harbour), Ok(nameless), Err(_), Ok(rest)] = &read::<Entity>(&synergy, &page)[..] else {
        panic!("three that can be read")
    };
    assert_eq!((harbour.id.as_str(), harbour.record.name.as_str()), ("39", "Harbour & Sons"));
    assert_eq!(harbour.record.domains, ["a.example", "b.example"]);
    assert_eq!((nameless.id.as_str(), nameless.record.domains.len()), ("No id", 0));
    assert_eq!((rest.id.as_str(), rest.record.name.as_str()), ("uncategorised", "Without a category"));
    assert!(rest.record.domains.is_empty(), "domains of nobody speak for nobody");
}

#[tokio::test]
async fn hosting_alone_needs_a_place_too() {
    let none = answer("listDomainCategories", "<status>OK</status>");
    let hosting = |items: &str| answer("listHosting", &format!("<status>OK</status><hoidList>{items}</hoidList>"));
    for (items, entities) in [("", 0), ("<item><hoid>1</hoid></item>", 1)] {
        let (synergy, _) = connector([(200, none.clone()), (200, domains("")), (200, hosting(items))]);
        assert_eq!(first_page::<Entity>(&synergy).await.unwrap().records.len(), entities);
    }
    // Where even that cannot be said, there is no list of entities rather than a wrong one.
    let (synergy, _) = connector([(200, none), (200, domains(""))]);
    assert_eq!(first_page::<Entity>(&synergy).await.unwrap_err().kind, Kind::Unavailable);
}
