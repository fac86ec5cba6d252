//! What the vendor says instead of data.

use std::sync::Arc;

use connector_synergy_wholesale::SynergyWholesale;
use integration::{Connector, CredentialsForm, Domain, Kind, Retry, Vendor};

use crate::script::{answer, connector, first_page};

fn no(status: &str) -> String {
    let inner = format!("<status>{status}</status><errorMessage>Unable to login to wholesale system</errorMessage>");
    answer("balanceQuery", &inner)
}

#[tokio::test]
async fn each_word_of_the_vendor_has_its_kind() {
    for (status, kind, retry) in [
        ("ERR_LOGIN_FAILED", Kind::Credentials, Retry::No),
        ("ERR_RESELLER_AUTH_FAILED", Kind::Credentials, Retry::No),
        ("ERR_RESELLER_NOT_AUTHORISED", Kind::Forbidden, Retry::No),
        ("ERR_DAEMON_FAILED", Kind::Unavailable, Retry::Yes),
        ("ERR_OCCURED", Kind::Unavailable, Retry::Yes),
        ("ERR_VAR_EMPTY", Kind::Refused, Retry::No),
        ("Active", Kind::Refused, Retry::No),
    ] {
        let (synergy, _) = connector([(200, no(status))]);
        let error = synergy.check().await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{status}");
        let words = format!("{status} Unable to login to wholesale system");
        assert_eq!(error.vendor_message, Some(words));
    }
}

/// The vendor has one word for both, and whoever reads it must look at both.
#[tokio::test]
async fn a_failed_login_names_the_key_and_the_address() {
    let (synergy, _) = connector([(200, no("ERR_LOGIN_FAILED"))]);
    let message = synergy.check().await.unwrap_err().message;
    for named in ["reseller ID", "API key", "internet address", "allows"] {
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[tokio::test]
async fn a_fault_is_ours_or_the_vendors() {
    let fault = |code: &str| {
        format!(
            "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Body><S:Fault><faultcode>{code}\
             </faultcode><faultstring>It went wrong</faultstring></S:Fault></S:Body></S:Envelope>"
        )
    };
    for (status, code, kind, retry) in [
        (500, "SOAP-ENV:Client", Kind::Refused, Retry::No),
        (500, "S:Client.Parameter", Kind::Refused, Retry::No),
        (500, "SOAP-ENV:Server", Kind::Unavailable, Retry::Yes),
        (200, "SOAP-ENV:Client", Kind::Refused, Retry::No),
        (503, "SOAP-ENV:Client", Kind::Unavailable, Retry::Yes),
    ] {
        let (synergy, _) = connector([(status, fault(code))]);
        let error = first_page::<Domain>(&synergy).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{status} {code}");
        assert_eq!(error.status, Some(status));
        assert_eq!(error.vendor_message.is_some(), status != 503, "{status} {code}");
    }
}

#[tokio::test]
async fn a_web_page_is_no_data() {
    let page = "\n<!DOCTYPE HTML><html><body>Back soon";
    let (synergy, _) = connector([(200, page)]);
    let error = first_page::<Domain>(&synergy).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unreadable, Retry::Yes));
    let (synergy, _) = connector([(403, page)]);
    assert_eq!(first_page::<Domain>(&synergy).await.unwrap_err().kind, Kind::Forbidden);
}

#[tokio::test]
async fn the_connection_test_says_that_there_is_nothing_to_map() {
    let none = "<status>OK</status><errorMessage>Category list successful.</errorMessage><domainCategories/>";
    let balance = answer("balanceQuery", "<status>OK</status><balance>802.25</balance>");
    let (synergy, script) = connector([(200, balance), (200, answer("listDomainCategories", none))]);
    let checked = synergy.check().await.unwrap();
    assert!(checked.warnings[0].contains("no domain category"), "{checked:?}");
    let [balance, _] = &script.documents()[..] else { panic!("two calls") };
    assert_eq!(
        balance,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope \
         xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns1=\"http://api.synergywholesale.com\" \
         xmlns:ns2=\"http://xml.apache.org/xml-soap\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><SOAP-ENV:Body><ns1:balanceQuery><param xsi:type=\"ns2:Map\">\
         <item><key xsi:type=\"xsd:string\">resellerID</key><value xsi:type=\"xsd:string\">40017</value></item>\
         <item><key xsi:type=\"xsd:string\">apiKey</key><value xsi:type=\"xsd:string\">\
         a&lt;b&gt;&amp;&quot;c&apos;</value></item></param></ns1:balanceQuery></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    );
    let request = &script.requests()[0];
    assert_eq!(request.url.as_str(), "https://api.synergywholesale.com/");
    assert_eq!(request.header_value("soapaction"), Some("\"#balanceQuery\""));
}

/// The answer of the fact sheet, to exactly the call of the fact sheet.
#[tokio::test]
async fn a_failed_login_as_the_vendor_writes_it() {
    let replay = Arc::new(vendorkit::Replay::files("tests/vendor", &["error-login-failed"]).unwrap());
    let example = <SynergyWholesale as Vendor>::Credentials::example();
    let credentials = <SynergyWholesale as Vendor>::Credentials::parse(&example).unwrap();
    let error = SynergyWholesale::connect(credentials, replay.clone()).check().await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!(error.kind, Kind::Credentials);
    assert_eq!(error.vendor_message.as_deref(), Some("ERR_LOGIN_FAILED Unable to login to wholesale system"));
}

/// The suite's careless vendor repeats its request in JSON; this one in XML, once escaped and once twice.
#[tokio::test]
async fn a_key_that_comes_back_is_not_shown() {
    let key = "a&lt;b&gt;&amp;&quot;c&apos;";
    let words = format!("you sent {key} in &lt;value&gt;{}&lt;/value&gt;", key.replace('&', "&amp;"));
    let refused = answer("listDomains", &format!("<status>ERR_X</status><errorMessage>{words}</errorMessage>"));
    let fault =
        format!("<E><Body><Fault><faultcode>Client</faultcode><faultstring>{words}</faultstring></Fault></Body></E>");
    for body in [refused, fault] {
        let (synergy, _) = connector([(200, body)]);
        let error = first_page::<Domain>(&synergy).await.unwrap_err();
        let said = error.vendor_message.unwrap();
        assert!(said.ends_with("you sent [secret] in <value>[secret]</value>"), "{said}");
    }
}
