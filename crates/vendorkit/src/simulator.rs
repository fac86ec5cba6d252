//! What stands in for a vendor.

use std::sync::{Arc, RwLock};

use integration::{Delivery, Method, RecordKind, Request, Response, Secret};
use serde_json::{Map, Value};

use crate::World;

/// The world, shared by all simulators and changed between runs.
pub type SharedWorld = Arc<RwLock<World>>;

/// One vendor, simulated: its wire format over the shared world. Its own state (tokens given out,
/// quantities changed) lives inside; what is true for all vendors lives in the world. Its clock is
/// [`World::now`]. For [`crate::behaviours!`] it implements [`Default`] as well.
pub trait Simulator: Send + Sync + 'static {
    /// The vendor's id; the path under which [`crate::serve`] mounts it.
    fn id(&self) -> &'static str;

    /// Answers one request. `request.url` is as the connector built it over the base of
    /// [`Self::credentials`]; a simulator looks at the path after that base.
    fn answer(&self, world: &SharedWorld, request: &Request) -> Response;

    /// Credentials that this simulator accepts, for a connector that finds it at `base`
    /// (`http://127.0.0.1:4100/ninjaone`, without a slash at the end).
    fn credentials(&self, base: &str) -> Map<String, Value>;

    /// Credentials of the right shape that it does not accept.
    fn wrong_credentials(&self, base: &str) -> Map<String, Value>;

    /// Credentials that it accepts, but without the rights to read.
    fn powerless_credentials(&self, base: &str) -> Map<String, Value>;

    /// The same credentials with what a person grants at the vendor's page; unchanged where the vendor has no
    /// such page. What people type never holds it.
    fn consented(&self, credentials: Map<String, Value>) -> Map<String, Value> {
        credentials
    }

    /// Ends every token given out so far, as if their time had passed.
    fn expire_tokens(&self);

    /// How many records of a kind its listings have in all; `None` where only the simulator's own
    /// code could tell. The default is what [`World::expected`] says: override it where the vendor
    /// shows less, or counts in its own way.
    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        world.expected(self.id(), kind)
    }

    /// Whether the vendor gives this listing in one answer, however long it is.
    fn unpaged(&self, _kind: RecordKind) -> bool {
        false
    }

    /// A webhook as the vendor would send it now, signed with this secret; `None` where it sends none.
    fn delivery(&self, _world: &World, _secret: &Secret) -> Option<Delivery> {
        None
    }

    /// Whether this request asks for a token. The default suits OAuth: a POST with "token" in its path.
    fn asks_for_token(&self, request: &Request) -> bool {
        request.method == Method::Post && request.url.path().contains("token")
    }
}
