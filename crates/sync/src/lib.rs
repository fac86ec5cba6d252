//! Connections and their syncs: fetching what vendors say, storing only what changed, and removing
//! only what is surely gone.
//!
//! * `engine.rs`: what it is handed. `job.rs`: one job is every listing of a connection; `run.rs`: one
//!   run is one listing, begun or gone on with.
//! * `walk.rs` fetches pages while `page.rs` stores them, each with its checkpoint in one transaction
//!   (`keep.rs` holds the one in between); `seen.rs` knows what was met, `conclude.rs` and
//!   `plausible.rs` decide on removal.
//! * `consent.rs` sends a person to a vendor's own page and takes what they come back with; `grants.rs` keeps that
//!   fresh, and stores a rotated token before it is used.
//! * `worker.rs` takes jobs from the queue. `hear.rs` makes jobs of vendors' webhooks.
//! * `replay/` reads what vendors said once more, with today's connectors and without asking.
//! * `progress.rs` says how far a sync is; `letters.rs` is what people do with jobs that were given up.
//! * `verify.rs` maps the entities whose ids a person typed before the vendor was connected.
//! * `snapshots.rs` keeps what each client has each day; `reconcile.rs` holds its parts against one another.
//! * `reminders.rs` writes to clients whose onboarding stands still.
//! * `outbound/` tells other programs of the product's own events.
//! * `psa/` keeps clients and their companies at a PSA alike, both ways.
//! * `chore.rs`: jobs of crates above this one. `quiet.rs`: hours in which the schedule begins nothing.
//! * `connections.rs`, `check.rs` and `held.rs`: what people do with connections, for the API.
//! * `act/` and `subscriptions.rs`: what people do at vendors; one way to send it, whatever it is.
//!
//! **Another rule on what to believe**: a function and its table in `plausible.rs`. **Another thing to do at a
//! vendor**: an `Act` in `act/`. **Another thing a
//! person can do with a connection**: a function in `connections.rs` that takes a `Tx`.

mod act;
mod admission;
mod check;
mod checkpoint;
mod chore;
mod conclude;
mod connections;
mod consent;
mod desk_digest;
mod device_names;
mod engine;
mod grants;
mod hear;
mod held;
mod ids;
mod job;
mod journal_checkpoints;
mod keep;
mod letters;
mod outbound;
mod page;
mod plausible;
mod post;
mod progress;
mod psa;
mod queue;
mod quiet;
mod reconcile;
mod reminders;
mod replay;
mod rights;
mod run;
mod seen;
mod snapshots;
mod subscriptions;
mod tickets;
mod trouble;
mod vendor_post;
mod verify;
mod walk;
mod words;
mod worker;

pub use act::{
    Act, Acted, Acting, Asking, ContactCreate, ContactRemove, ContactUpdate, CustomFieldsSet, DocumentArchive,
    Idempotency, InstallerLinkMake, Keep, Noted, Place, Sent, Shelf, Target, ThreatAct, ThreatAction, TicketCreate,
    TicketFileAttach, TicketNoteAdd, TicketUpdate,
};
pub use admission::{Admitted, LetIn, entity_admit};
pub use chore::Chore;
pub use connections::{
    CADENCE, CADENCES, ConnectionPatch, NewConnection, connection_create, connection_delete, connection_disconnect,
    connection_pause, connection_reconnect, connection_share, connection_unshare, connection_update, normalise,
    sync_start,
};
pub use consent::{CONSENT_LASTS, ConsentBegun, ConsentTaken};
pub use engine::{Dial, Engine, Waiting};
pub use hear::{webhook_set, webhook_unset};
pub use held::{Missing, run_drop, run_missing, run_release};
pub use ids::{entity_id, record_id};
pub use job::{Ended, SyncPayload};
pub use letters::{job_drop, job_retry};
pub use outbound::{
    AddressCheck, Herald, Post, Reply, WebhookDraft, WebhookPatch, message_id, new_secret, webhook_deliveries_retry,
    webhook_delivery_retry, webhook_secret_rotate, webhook_subscription_create, webhook_subscription_delete,
    webhook_subscription_list, webhook_subscription_update, webhook_test,
};
pub use progress::{Expected, KindProgress, Progress, Standing, progress};
pub use psa::{
    ConflictChoice, ConflictTake, Like, Likeness, MOST_CHOICES, PsaPatch, PsaView, psa_conflict_current,
    psa_conflict_resolve, psa_settings_get, psa_settings_update,
};
pub use queue::{Started, sync_key};
pub use quiet::{connection_quiet_get, connection_quiet_set};
pub use reconcile::{Held, Line, Verdict, reconcile};
pub use replay::{Difference, FieldChange, ReplayDiff, ReplayKind, replay_note, replay_start};
pub use rights::allowed;
pub use snapshots::{AgeOf, CountOf, Counting, LicenceOf, Snapshot, SubscriptionOf};
pub use subscriptions::{QuantitySet, Render};
pub use tickets::{FileSource, FileTrouble, TicketTaker, TicketTold};
pub use trouble::{vendor_code, vendor_error};
pub use vendor_post::VendorPost;
pub use worker::{FORGOTTEN_AFTER_SECONDS, Worker, WorkerOptions};
