//! People of clients, their devices and tickets: on top of what the client list is measured with.

use anyhow::Result;
use domain::{Branding, PortalSettings, Section, name_key};

use crate::database::{Database, Engine, Sql};

const WHEN: &str = "'2026-10-06T09:00:00+00:00'";
/// Portal users of a client; the first is a Manager.
const PEOPLE: u32 = 5;
/// Open tickets of a client.
const TICKETS: u32 = 4;

/// The address of a client's Manager.
pub fn email(client: u32, of: u32) -> String {
    format!("{}.1@bench.example", name_key(&crate::list::seed::name(client, of)).replace(' ', "."))
}

/// Numbers from 1 on, as a table.
fn numbers(engine: Engine, most: u32) -> String {
    match engine {
        Engine::Sqlite => {
            format!("WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {most})")
        }
        Engine::Postgres => format!("WITH numbers AS (SELECT generate_series(1, {most}) AS n)"),
    }
}

/// Enables ClientOne for every client, with people, devices as they are joined, and tickets. Everyone's password is that
/// of the staff.
pub async fn product(database: &Database) -> Result<()> {
    let sql = Sql::open(database).await?;
    let made = if database.engine == Engine::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" };
    let settings = PortalSettings { sections: Section::ALL.into_iter().collect(), ..PortalSettings::default() };
    let (settings, look) = (serde_json::to_string(&settings)?, serde_json::to_string(&Branding::default())?);
    let device = serde_json::to_string(&integration::Device::default())?;
    let (people, tickets) = (numbers(database.engine, PEOPLE), numbers(database.engine, TICKETS));
    sql.run(&format!(
        "BEGIN; UPDATE record SET body = '{device}'; \
         INSERT INTO portal_config (organisation_id, client_id, enabled, settings, branding, updated_at, version) \
         SELECT organisation_id, id, true, '{settings}', '{look}', {WHEN}, 1 FROM client; \
         INSERT INTO portal_user (organisation_id, id, client_id, email, email_key, name, name_key, role, state, \
         password_hash, accepted_at, created_at, updated_at, version) {people} SELECT c.organisation_id, {made}, c.id, \
         replace(c.name_key, ' ', '.') || '.' || n || '@bench.example', \
         replace(c.name_key, ' ', '.') || '.' || n || '@bench.example', 'Person ' || n, 'person ' || n, \
         CASE WHEN n = 1 THEN 'manager' ELSE 'user' END, 'active', \
         (SELECT s.password_hash FROM staff s WHERE s.organisation_id = c.organisation_id LIMIT 1), {WHEN}, {WHEN}, \
         {WHEN}, 1 FROM client c, numbers; \
         INSERT INTO device (organisation_id, id, client_id, name, name_key, created_at) SELECT r.organisation_id, \
         r.id, e.client_id, r.title, r.title_key, r.first_seen_at FROM record r JOIN entity e \
         ON e.organisation_id = r.organisation_id AND e.id = r.entity_id; \
         INSERT INTO device_observation (organisation_id, record_id, device_id, evidence) \
         SELECT organisation_id, id, id, '[]' FROM record; \
         INSERT INTO portal_ticket (organisation_id, id, client_id, number, subject, subject_key, description, answers, \
         state, created_at, updated_at, version) {tickets} SELECT c.organisation_id, {made}, c.id, \
         CAST(row_number() OVER () AS integer), 'Printer', 'printer', 'It does not print.', '[]', 'open', {WHEN}, \
         {WHEN}, 1 FROM client c, numbers; COMMIT"
    ))
    .await?;
    match database.engine {
        // The product has no statistics on SQLite, and must do without.
        Engine::Sqlite => Ok(()),
        Engine::Postgres => sql.run("VACUUM ANALYZE").await,
    }
}

/// Gives the floor's devices names, and its clients tickets.
pub async fn floor(database: &Database) -> Result<()> {
    let sql = Sql::open(database).await?;
    let text = if database.engine == Engine::Postgres { "text COLLATE \"C\"" } else { "text" };
    let tickets = numbers(database.engine, TICKETS);
    sql.run(&format!(
        "BEGIN; CREATE TABLE named (id bigint PRIMARY KEY, client_id bigint, name {text}); \
         INSERT INTO named SELECT id, client_id, 'PC-' || (id % 1000) FROM device; \
         CREATE INDEX named_list ON named (client_id, name, id); \
         CREATE TABLE ticket (client_id bigint, number bigint, open boolean, PRIMARY KEY (client_id, number)); \
         INSERT INTO ticket {tickets} SELECT c.id, n, true FROM client c, numbers; COMMIT; ANALYZE"
    ))
    .await
}
