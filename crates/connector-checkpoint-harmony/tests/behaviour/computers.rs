//! Lists of computers, which are jobs.

use std::time::Duration;

use integration::{Body, Device, Kind, Method, Retry};
use serde_json::{Value, json};

use crate::script::{ENDPOINT, connector, page, read};

fn account() -> (u16, Value) {
    (200, json!({ "tenantId": "t1", "tenantName": "Bluegum", "type": "CUSTOMER", "machines": [] }))
}

fn begun(id: &str) -> (u16, Value) {
    (200, json!({ "jobId": id }))
}

fn done(total: f64, computers: Value) -> (u16, Value) {
    let data = json!({ "totalCount": total, "pageSize": 50.0, "pageOffset": 0.0, "computers": computers });
    (200, json!({ "status": "DONE", "statusCode": 200, "statusType": 2, "data": data }))
}

fn waiting() -> (u16, Value) {
    (200, json!({ "status": "IN_PROGRESS", "statusCode": 102, "statusType": 1 }))
}

#[tokio::test]
async fn a_computer_is_read_in_all_the_forms_it_comes_in() {
    let computers = json!([
        { "computerId": "c1", "computerName": "BGD-FRONT-02", "computerIP": "10.20.0.31", "computerType": "Desktop",
          "osName": "Windows 11 Pro", "osVersion": "10.0-26100", "computerLastConnection": 1_790_812_692_000_u64,
          "computerUserName": "reception", "computerLastLoggedInUser": "999" },
        { "computerId": "c2", "computerName": "", "computerType": "N/A", "osVersion": 999, "computerIP": null,
          "computerLastConnection": 0 },
        { "computerId": "c3", "computerName": "BGD-3", "computerLastConnection": "2026-09-30 23:58:12.000" },
    ]);
    let (harmony, script) = connector(&ENDPOINT, [account(), begun("j1"), done(3.0, computers)]);
    let listed = page::<Device>(&harmony, None).await.unwrap();
    assert_eq!((listed.total, listed.next.is_none()), (Some(3), true));
    let read = read::<Device>(&harmony, &listed);
    assert!(read.iter().all(|(_, entity, _)| entity.as_deref() == Some("endpoint/t1")));
    let first = &read[0].2;
    assert_eq!(
        (&first["name"], &first["class"], &first["ips"]),
        (&json!("BGD-FRONT-02"), &json!("Desktop"), &json!(["10.20.0.31"]))
    );
    assert_eq!((&first["last_user"], &first["online"]), (&json!("reception"), &json!(null)));
    assert_eq!(first["last_contact_at"], "2026-09-30T23:58:12Z");
    let second = &read[1].2;
    assert_eq!((&second["name"], &second["hostname"], &second["class"]), (&json!("c2"), &json!(null), &json!(null)));
    assert_eq!(
        (&second["os_version"], &second["last_contact_at"], &second["ips"]),
        (&json!(null), &json!(null), &json!([]))
    );
    assert_eq!(read[2].2["last_contact_at"], "2026-09-30T23:58:12Z");

    let asked = script.asked();
    let [_, begin, job] = asked.as_slice() else { panic!("{asked:?}") };
    let api = "https://cloudinfra-gw.ap.portal.checkpoint.com/app/endpoint-web-mgmt/harmony/endpoint/api/v1";
    assert_eq!(begin.url.as_str(), format!("{api}/asset-management/computers/filtered"));
    assert_eq!((begin.method, begin.idempotent), (Method::Post, true));
    assert_eq!(begin.header_value("x-mgmt-run-as-job"), Some("on"));
    let body = json!({ "filters": [], "paging": { "pageSize": 50, "offset": 0 }, "viewType": "DEVICES" });
    assert_eq!(begin.body, Body::Json(body));
    assert_eq!(job.url.as_str(), format!("{api}/jobs/j1"));
    for request in [begin, job] {
        assert_eq!(request.header_value("x-mgmt-api-token"), Some("management-token"));
        assert_eq!(request.header_value("authorization"), Some("Bearer portal-token"));
    }
}

#[tokio::test]
async fn a_job_that_takes_its_time_is_waited_for_and_not_begun_again() {
    let answers = [account(), begun("j1"), waiting(), waiting(), done(1.0, json!([{ "computerId": "c1" }]))];
    let (harmony, script) = connector(&ENDPOINT, answers);
    let first = page::<Device>(&harmony, None).await.unwrap();
    assert!(first.records.is_empty() && first.next.is_some());
    let error = page::<Device>(&harmony, Some(&first)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (Kind::Unavailable, Retry::After(Duration::from_secs(5))));
    let second = page::<Device>(&harmony, Some(&first)).await.unwrap();
    assert_eq!((second.records.len(), second.next.is_none()), (1, true));
    assert_eq!(script.asked().iter().filter(|request| request.method == Method::Post).count(), 1);
}

#[tokio::test]
async fn pages_go_on_where_the_last_one_ended_whatever_its_size() {
    let answers = [
        account(),
        begun("j1"),
        done(3.0, json!([{ "computerId": "c1" }, { "computerId": "c2" }])),
        begun("j2"),
        done(3.0, json!([{ "computerId": "c3" }])),
    ];
    let (harmony, script) = connector(&ENDPOINT, answers);
    let first = page::<Device>(&harmony, None).await.unwrap();
    let second = page::<Device>(&harmony, Some(&first)).await.unwrap();
    assert!(second.next.is_none());
    let Body::Json(body) = &script.asked()[3].body else { panic!("no JSON") };
    assert_eq!(body["paging"]["offset"], 2);
}

#[tokio::test]
async fn computers_that_vanish_on_the_way_begin_the_listing_anew() {
    let answers = [
        account(),
        begun("j1"),
        done(3.0, json!([{ "computerId": "c1" }])),
        begun("j2"),
        done(2.0, json!([{ "computerId": "c3" }])),
    ];
    let (harmony, _) = connector(&ENDPOINT, answers);
    let first = page::<Device>(&harmony, None).await.unwrap();
    assert_eq!(page::<Device>(&harmony, Some(&first)).await.unwrap_err().kind, Kind::Expired);
    let (harmony, _) = connector(&ENDPOINT, [account(), begun("j1"), done(3.0, json!([]))]);
    assert_eq!(page::<Device>(&harmony, None).await.unwrap_err().kind, Kind::Unreadable);
}

#[tokio::test]
async fn a_job_that_fails_or_is_forgotten_is_said() {
    for (state, kind) in [
        (json!({ "status": "NOT_FOUND", "statusCode": 404, "statusType": 4 }), Kind::Expired),
        (json!({ "status": "FAILED", "statusCode": 500, "statusType": 5, "data": null }), Kind::Unavailable),
        (json!({ "status": "FAILED", "statusCode": 403, "statusType": 4 }), Kind::Forbidden),
        (json!({ "status": "FAILED", "statusCode": 200, "statusType": 2, "data": {} }), Kind::Unavailable),
        (json!({ "status": "SOMETHING_ELSE", "statusCode": 200, "statusType": 2 }), Kind::Unreadable),
    ] {
        let (harmony, _) = connector(&ENDPOINT, [account(), begun("j1"), (200, state.clone())]);
        let error = page::<Device>(&harmony, None).await.unwrap_err();
        assert_eq!(error.kind, kind, "{state}");
    }
}

#[tokio::test]
async fn an_mssp_without_a_server_has_no_computers_and_is_not_asked_for_any() {
    let tree = json!({ "tenantId": "c1", "tenantName": "Us", "type": "MSSP", "machines": [], "childTenants": [] });
    let (harmony, script) = connector(&ENDPOINT, [(200, tree)]);
    let listed = page::<Device>(&harmony, None).await.unwrap();
    assert!(listed.records.is_empty() && listed.next.is_none());
    assert_eq!(script.asked().len(), 1);
}
