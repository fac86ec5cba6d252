//! The connector over exchanges, and over the simulated vendor.

use std::sync::Arc;

use connector_sentinelone::{SentinelOne, Simulator};
use integration::{CredentialsForm, Item, Position, Pull, RecordType, Vendor};
use serde_json::{Map, Value};
use vendorkit::{Replay, Simulated, Simulator as _, World, WorldSize, a_tuesday};

pub const THREAT: &str = "1611222233334444555";
/// The site of that threat: SentinelOne names a threat without it.
pub const SITE: &str = "1500000000000000001";

pub fn connect(form: &Map<String, Value>, transport: Arc<dyn integration::Transport>) -> SentinelOne {
    SentinelOne::connect(<SentinelOne as Vendor>::Credentials::parse(form).unwrap(), transport)
}

/// Over these exchange files, with the example credentials.
pub fn replay(files: &[&str]) -> (SentinelOne, Arc<Replay>) {
    let replay = Arc::new(Replay::files("tests/vendor", files).unwrap());
    (connect(&<SentinelOne as Vendor>::Credentials::example(), replay.clone()), replay)
}

/// Over the simulated vendor, with its own token or another.
pub fn simulated(token: Option<&str>) -> (SentinelOne, Arc<Simulated>) {
    let simulator = Arc::new(Simulator::default());
    let mut form = simulator.credentials("http://127.0.0.1:4100/sentinelone");
    if let Some(token) = token {
        form.insert("api_token".to_owned(), token.into());
    }
    let world = World::generate(WorldSize { businesses: 20, devices: 600, people: 100 }, 7, a_tuesday());
    let vendor = Arc::new(Simulated::new(simulator, world));
    (connect(&form, vendor.clone()), vendor)
}

/// Every record of a listing.
pub async fn all<T: RecordType>(connector: &SentinelOne) -> Vec<Item<T>>
where
    SentinelOne: Pull<T>,
{
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let at = Position { cursor: cursor.as_ref(), ..Position::default() };
        let page = Pull::<T>::page(connector, at).await.unwrap();
        found.extend(page.records.iter().map(|raw| Pull::<T>::read(connector, raw).unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            assert_eq!(page.total, Some(found.len() as u64));
            return found;
        }
    }
}
