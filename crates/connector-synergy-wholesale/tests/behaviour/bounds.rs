//! Answers made to do harm.

use integration::{Domain, Error, Kind, Retry};

use crate::script::{answer, connector, domains, first_page, read};

async fn refused(body: impl Into<Vec<u8>>) -> Error {
    let (synergy, _) = connector([(200, body.into())]);
    first_page::<Domain>(&synergy).await.unwrap_err()
}

#[tokio::test]
async fn entities_are_never_expanded() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \
                \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><x>&c;</x>";
    let error = refused(bomb).await;
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::No));
    assert!(error.message.contains("declares a document type"), "{error}");

    let file = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/hostname\">]><x>&f;</x>";
    assert_eq!(refused(file).await.kind, Kind::Unreadable);

    // Without a declaration an entity of one's own is nothing that XML knows.
    let error = refused(domains("<item><domainName>&harbour;</domainName></item>")).await;
    assert_eq!(error.kind, Kind::Unreadable);
    assert!(error.message.contains("an entity that is not XML's own"), "{error}");
}

#[tokio::test]
async fn the_entities_of_xml_itself_are_read() {
    let item = "<item><status>OK</status><domainName>caf&#xE9;.example</domainName><domain_status>a &lt;b&gt; &amp; \
                <![CDATA[<c>]]></domain_status></item>";
    let (synergy, _) = connector([(200, domains(item))]);
    let page = first_page::<Domain>(&synergy).await.unwrap();
    let [Ok(item)] = &read::<Domain>(&synergy, &page)[..] else { panic!("one domain") };
    assert_eq!((item.id.as_str(), item.record.status.as_deref()), ("café.example", Some("a <b> & <c>")));
}

#[tokio::test]
async fn a_deep_answer_is_refused() {
    let nest = |depth: usize| format!("{}{}", "<x>".repeat(depth), "</x>".repeat(depth));
    let error = refused(nest(200_000)).await;
    assert_eq!((error.kind, error.retry), (Kind::Limit, Retry::No));
    assert!(error.message.contains("deeper than 32 elements"), "{error}");
    // One that is only a little deeper than the vendor's own is data all the same.
    let item = format!("<item><domainName>a.example</domainName><contacts>{}</contacts></item>", nest(20));
    let (synergy, _) = connector([(200, domains(&item))]);
    assert_eq!(first_page::<Domain>(&synergy).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn a_huge_answer_is_refused() {
    let error = refused(domains(&"<item/>".repeat(3_000_000))).await;
    assert_eq!(error.kind, Kind::Limit);
    assert!(error.message.contains("longer than 16777216 bytes"), "{error}");
    let error = refused(domains(&"<item/>".repeat(500_000))).await;
    assert_eq!(error.kind, Kind::Limit);
    assert!(error.message.contains("longer than 400000 elements"), "{error}");
}

/// Only the size of the answer bounds the attributes: a check of each against all others would take hours.
#[tokio::test]
async fn many_attributes_take_no_time() {
    let attributes: String = (0..400_000).map(|n| format!(" a{n}=\"\"")).collect();
    let item = format!("<item{attributes}><domainName>a.example</domainName></item>");
    let (synergy, _) = connector([(200, domains(&item))]);
    assert_eq!(first_page::<Domain>(&synergy).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn what_is_not_one_whole_document_is_unreadable() {
    let whole = domains("<item><domainName>a.example</domainName></item>");
    for (body, retry) in [
        (whole[..whole.len() / 2].to_owned(), Retry::Yes),
        (whole[..whole.len() - 3].to_owned(), Retry::Yes),
        (format!("{whole}{whole}"), Retry::No),
        (whole.replace("</domainList>", "</domains>"), Retry::No),
        (whole.replace("listDomainsResponse", "listHostingResponse"), Retry::No),
        (answer("listDomains", ""), Retry::No),
        (whole.replace("Envelope", "Letter"), Retry::No),
        (domains("<domain/>"), Retry::No),
        (whole.replace("<page>1", "<page>2"), Retry::No),
    ] {
        let error = refused(body.clone()).await;
        assert_eq!((error.kind, error.retry), (Kind::Unreadable, retry), "{body}: {error}");
    }
    let mut latin = whole.into_bytes();
    let at = latin.len() / 2;
    latin[at] = 0xE9;
    assert_eq!(refused(latin).await.kind, Kind::Unreadable);
}
