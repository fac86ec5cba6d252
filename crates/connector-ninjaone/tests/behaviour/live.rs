//! What is asked for live: installers, roles, templates, tabs.

use integration::{Connector, Kind, Request, Template};

use crate::stand_ins::{Scripted, over, replaying};

async fn shelf(name: &str, files: &[&str]) -> Vec<Template> {
    let (connector, replay) = replaying(files);
    let read = connector.templates().unwrap().templates(name).await.unwrap();
    replay.finish().unwrap();
    read
}

fn names(templates: &[Template]) -> Vec<(&str, &str, Option<&str>)> {
    templates.iter().map(|one| (one.id.as_str(), one.name.as_str(), one.description.as_deref())).collect()
}

#[tokio::test]
async fn every_shelf_shows_what_is_in_use_with_its_parts() {
    let roles = shelf("node_roles", &["token", "node-roles"]).await;
    let desktop = Some("Windows Desktop or Laptop");
    assert_eq!(names(&roles), [("11", "WINDOWS_WORKSTATION", desktop), ("41", "Kiosk", None)]);
    assert_eq!(roles[0].parts, ["WINDOWS_WORKSTATION"]);
    assert_eq!(roles[1].parts, ["WINDOWS_WORKSTATION", "DESKTOP"]);
    // Not the one that is archived, and no headings.
    let documents = shelf("document_templates", &["token", "document-templates"]).await;
    assert_eq!(names(&documents), [("9", "Network", Some("Network kit"))]);
    assert_eq!(documents[0].parts[..2], ["Vendor (TEXT)", "Admin password (TEXT_ENCRYPTED)"]);
    assert_eq!(documents[0].parts.len(), 9);
    // In the order of their positions.
    let checklists = shelf("checklist_templates", &["token", "checklist-templates"]).await;
    assert_eq!(names(&checklists), [("3", "Onboarding", Some("New client"))]);
    assert_eq!(checklists[0].parts, ["Create location", "Install agents"]);
    let tabs = shelf("organization_tabs", &["token", "tabs-organization"]).await;
    assert_eq!(names(&tabs), [("62", "Keys", None), ("61", "Contracts", Some("Dates"))]);
    assert_eq!((tabs[0].parts.len(), &tabs[1].parts[..]), (0, &["Contract ends".to_owned()][..]));
}

#[tokio::test]
async fn a_tab_that_ninjaone_does_not_open_has_no_parts() {
    let tabs = shelf("global_tabs", &["token", "error-tab-unknown"]).await;
    assert_eq!((names(&tabs), tabs[0].parts.len()), (vec![("1", "NinjaOne", None)], 0));
}

#[tokio::test]
async fn a_long_row_of_tabs_is_not_opened_to_its_end() {
    let transport = Scripted::new(|request: &Request| {
        if request.url.path().contains("/summary/") {
            let labels: Vec<String> =
                (1..=500).map(|id| format!(r#"{{"id":{id},"name":"T","position":{id}}}"#)).collect();
            format!(r#"{{"labels":[{}]}}"#, labels.join(","))
        } else {
            r#"{"items":[{"name":"A field"}]}"#.to_owned()
        }
    });
    let tabs = over(transport.clone()).templates().unwrap().templates("end_user_tabs").await.unwrap();
    assert_eq!((tabs.len(), tabs[39].parts.len(), tabs[40].parts.len()), (500, 1, 0));
    assert_eq!(transport.asked().len(), 42);
}

/// The vendor's description says "a list of the available custom tabs", and gives it no shape.
#[tokio::test]
async fn a_summary_of_tabs_may_be_a_bare_list() {
    let transport = Scripted::new(|request: &Request| {
        let summary = request.url.path().contains("/summary/");
        if summary { r#"[{"id":62,"name":"Keys","position":1}]"# } else { r#"{"items":null}"# }.to_owned()
    });
    let tabs = over(transport).templates().unwrap().templates("organization_tabs").await.unwrap();
    assert_eq!(names(&tabs), [("62", "Keys", None)]);
}

#[tokio::test]
async fn an_unknown_shelf_is_refused_and_another_shape_is_an_error() {
    let transport = Scripted::new(|_: &Request| r#"{"surprise":1}"#.to_owned());
    let connector = over(transport.clone());
    let templates = connector.templates().unwrap();
    assert_eq!(templates.templates("spices").await.unwrap_err().kind, Kind::Refused);
    assert!(transport.asked().is_empty());
    for shelf in templates.shelves() {
        assert_eq!(templates.templates(&shelf.id).await.unwrap_err().kind, Kind::Unreadable, "{shelf:?}");
    }
}

#[tokio::test]
async fn a_link_that_is_no_safe_address_is_an_error_that_does_not_repeat_it() {
    for body in [
        r#"{"url":"http://installers.example/token-0001"}"#,
        r#"{"url":"javascript:token-0001"}"#,
        r#"{"url":"token-0001"}"#,
        r#"{"url":null,"other":"token-0001"}"#,
        r#"["token-0001"]"#,
    ] {
        let connector = over(Scripted::new(move |_: &Request| body.to_owned()));
        let made = connector.installer_links().unwrap().installer("12", Some("44"), "MAC_PKG").await;
        let error = made.unwrap_err();
        assert_eq!(error.kind, Kind::Unreadable, "{body}");
        assert!(!format!("{error} {error:?}").contains("token-0001"), "{error:?}");
    }
}

#[tokio::test]
async fn an_installer_needs_a_place() {
    let transport = Scripted::new(|_: &Request| "[]".to_owned());
    let connector = over(transport.clone());
    let installers = connector.installer_links().unwrap();
    let error = installers.installer("12", None, "WINDOWS_MSI").await.unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("no location"), "{error}");
    let before = transport.asked().len();
    for (entity, place, platform) in
        [("12", Some("44"), "ABACUS"), ("a/b", Some("44"), "MAC_PKG"), ("12", Some("../44"), "MAC_PKG")]
    {
        installers.installer(entity, place, platform).await.unwrap_err();
    }
    assert_eq!(transport.asked().len(), before);
}
