//! The list of vendors, and nothing else. It is the only place that names them all.
//!
//! Everything about a vendor (forms, capabilities, the connector itself) is asked of its [`Entry`].
//!
//! **A new vendor**: `cargo xtask new-connector` writes its crate, and its lines here and in this
//! crate's `Cargo.toml` above the marks `new-connector:`. Then `UPDATE=1 cargo nextest run -p registry`
//! rewrites `tests/catalogue.txt` for the review.

#[cfg(feature = "simulators")]
use std::sync::Arc;

use integration::Entry;

/// Every vendor, in the order of the catalogue.
pub const ALL: &[Entry] = &[
    Entry::of::<connector_ninjaone::NinjaOne>(),
    Entry::of::<connector_microsoft365::Microsoft365>(),
    Entry::of::<connector_pax8::Pax8>(),
    Entry::of::<connector_datto_rmm::DattoRmm>(),
    Entry::of::<connector_teamviewer::Teamviewer>(),
    Entry::of::<connector_cipp::Cipp>(),
    Entry::of::<connector_checkpoint_harmony::CheckpointHarmony>(),
    Entry::of::<connector_sentinelone::SentinelOne>(),
    Entry::of::<connector_sophos::Sophos>(),
    Entry::of::<connector_halopsa::Halopsa>(),
    Entry::of::<connector_syncro::Syncro>(),
    Entry::of::<connector_superops::Superops>(),
    Entry::of::<connector_gorelo::Gorelo>(),
    Entry::of::<connector_connectwise_manage::ConnectwiseManage>(),
    Entry::of::<connector_autotask::Autotask>(),
    Entry::of::<connector_workflowmax::Workflowmax>(),
    Entry::of::<connector_dropsuite::Dropsuite>(),
    Entry::of::<connector_unifi::Unifi>(),
    Entry::of::<connector_xero::Xero>(),
    Entry::of::<connector_quickbooks_online::QuickbooksOnline>(),
    Entry::of::<connector_hatz_ai::HatzAi>(),
    Entry::of::<connector_synergy_wholesale::SynergyWholesale>(),
    Entry::of::<connector_apple_business::AppleBusiness>(),
    Entry::of::<connector_threecx::Threecx>(),
    Entry::of::<connector_smtp2go::Smtp2go>(),
    // new-connector: entry above
];

/// The vendor of this id ("pax8").
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.id == id)
}

/// Every vendor's simulator, new and without any token given out, in the order of [`ALL`].
#[cfg(feature = "simulators")]
pub fn simulators() -> Vec<Arc<dyn vendorkit::Simulator>> {
    vec![
        Arc::new(connector_ninjaone::Simulator::default()),
        Arc::new(connector_microsoft365::simulator::Microsoft365Simulator::default()),
        Arc::new(connector_pax8::Simulator::default()),
        Arc::new(connector_datto_rmm::Simulator::default()),
        Arc::new(connector_teamviewer::Simulator::default()),
        Arc::new(connector_cipp::Simulator::default()),
        Arc::new(connector_checkpoint_harmony::Simulator::default()),
        Arc::new(connector_sentinelone::Simulator::default()),
        Arc::new(connector_sophos::Simulator::default()),
        Arc::new(connector_halopsa::Simulator::default()),
        Arc::new(connector_syncro::Simulator::default()),
        Arc::new(connector_superops::Simulator::default()),
        Arc::new(connector_gorelo::Simulator::default()),
        Arc::new(connector_connectwise_manage::Simulator::default()),
        Arc::new(connector_autotask::Simulator::default()),
        Arc::new(connector_workflowmax::Simulator::default()),
        Arc::new(connector_dropsuite::Simulator::default()),
        Arc::new(connector_unifi::Simulator),
        Arc::new(connector_xero::Simulator::default()),
        Arc::new(connector_quickbooks_online::Simulator::default()),
        Arc::new(connector_hatz_ai::Simulator::default()),
        Arc::new(connector_synergy_wholesale::Simulator),
        Arc::new(connector_apple_business::Simulator::default()),
        Arc::new(connector_threecx::Simulator::default()),
        Arc::new(connector_smtp2go::Simulator::default()),
        // new-connector: simulator above
    ]
}
