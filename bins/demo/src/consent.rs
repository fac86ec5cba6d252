//! Consent at a vendor's own page, given as a person would in a browser. The simulated vendors agree to
//! everything at once.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::{
    client::{Client, text},
    folder::State,
    house::House,
};

/// Whether this vendor wants consent; its credentials are then without what the page gives.
pub fn wanted(vendor: &str, credentials: &mut Map<String, Value>) -> bool {
    let Some(field) = registry::find(vendor).and_then(|entry| entry.consent_field()) else { return false };
    credentials.remove(field);
    true
}

/// Goes to the vendor's page and back, signed in as the owner.
pub async fn give(house: &House, state: &State, connection: &str) -> Result<()> {
    let mut person = Client::new(&house.api)?;
    person.sign_in(&state.email, &state.password).await?;
    let begun = person.post(&format!("/api/connections/{connection}/consent"), Value::Null).await?;
    let vendor = format!("127.0.0.1:{}", state.vendors_port);
    let page = Client::elsewhere(&vendor)?.visit(text(&begun["url"])).await?;
    let back = page.header("location").context("the vendor's page sends nobody back")?;
    let answer = person.visit(back).await?;
    ensure!(answer.status == 200, "the way back from the vendor ended with status {}", answer.status);
    Ok(())
}
