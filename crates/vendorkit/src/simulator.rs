//! What stands in for a vendor.

use std::sync::{Arc, RwLock};

use integration::{Request, Response};
use serde_json::{Map, Value};

use crate::World;

/// The world, shared by all simulators and changed between runs.
pub type SharedWorld = Arc<RwLock<World>>;

/// One vendor, simulated: its wire format over the shared world. Its own state (tokens given out,
/// quantities changed) lives inside; what is true for all vendors lives in the world.
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

    /// Ends every token given out so far, as if their time had passed.
    fn expire_tokens(&self);
}
