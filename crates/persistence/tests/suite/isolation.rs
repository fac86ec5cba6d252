use domain::{Error, OrganisationId};
use sea_orm::ConnectionTrait;
use testkit::both_databases;
use uuid::Uuid;

both_databases! {
    async fn another_organisations_row_is_like_a_random_one(db: TestDb) {
        let mine = db.organisation("Mine").await;
        let theirs = db.organisation("Theirs").await;
        let foreign = db.client(theirs, "Secret").await;
        let tx = db.store.begin(db.context(mine)).await.expect("begins");
        let random = tx.client(Uuid::from_u128(7).into()).await.expect_err("refused");
        let other = tx.client(foreign).await.expect_err("refused");
        assert_eq!(random.to_string(), other.to_string());
        assert!(matches!(other, Error::NotFound { what: "client" }));
        assert!(tx.clients_by_id(&[foreign]).await.expect("asks").is_empty());
        assert!(tx.client_names().await.expect("asks").is_empty());
        assert_eq!(tx.client_totals().await.expect("asks").total(), 0);
    }
}

/// The second lock: even a query that forgets the organisation sees and writes nothing foreign.
#[tokio::test]
async fn postgres() {
    let Some(db) = testkit::postgres().await else { return };
    let mine = db.organisation("Mine").await;
    let theirs = db.organisation("Theirs").await;
    db.client(theirs, "Secret").await;
    db.client(mine, "Own").await;
    let raw = db.backdoor().await;
    let count = async |sql: &str| {
        let statement = sea_orm::Statement::from_string(sea_orm::DatabaseBackend::Postgres, sql);
        let row = raw.query_one_raw(statement).await.expect("asks").expect("answers");
        row.try_get_by_index::<i64>(0).expect("counts")
    };
    let act_for = async |organisation: Option<OrganisationId>| {
        let id = organisation.map(|id| id.to_string()).unwrap_or_default();
        let sql = format!(
            "SELECT set_config('panelone.across', 'off', false), set_config('panelone.organisation', '{id}', false)"
        );
        raw.execute_unprepared(&sql).await.expect("sets");
    };
    assert_eq!(count("SELECT count(*) FROM client").await, 2, "the back door sees all before it is shut");
    act_for(None).await;
    assert_eq!(count("SELECT count(*) FROM client").await, 0);
    act_for(Some(mine)).await;
    assert_eq!(count("SELECT count(*) FROM client").await, 1);
    assert_eq!(count("SELECT count(*) FROM client WHERE name = 'Secret'").await, 0);
    let hit = raw.execute_unprepared("UPDATE client SET name = 'x' WHERE name = 'Secret'").await.expect("runs");
    assert_eq!(hit.rows_affected(), 0);
    let forged = format!("UPDATE client SET organisation_id = '{theirs}'");
    assert!(raw.execute_unprepared(&forged).await.is_err(), "a row cannot be pushed into another organisation");
    raw.close().await.expect("closes");
}
