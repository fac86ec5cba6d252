//! Agents: the machines of all sites.

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Result};

use crate::{SentinelOne, wire};

/// Records asked for at once: each has up to ten thousand bytes.
const SIZE: u32 = 500;

#[async_trait]
impl Pull<Device> for SentinelOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // Whether decommissioned agents are left out unless asked for is not documented.
        let request = self.api.get(&["agents"]).query("limit", SIZE).query("isDecommissioned", "false");
        self.api.page(request, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let agent: wire::Agent = wire::read(raw, "an agent")?;
        let id = agent.id.0.ok_or("an agent without an id")?;
        let site = agent.site_id.0.ok_or("an agent names no site")?;
        let (manufacturer, model) = made(agent.model_name.0);
        let (mut macs, mut ips) = (Vec::new(), Vec::new());
        for interface in agent.network_interfaces.0.unwrap_or_default() {
            macs.extend(interface.physical.0);
            ips.extend([interface.inet.0, interface.inet6.0].into_iter().flatten().flatten());
        }
        if ips.is_empty() {
            ips.extend(agent.last_ip_to_mgmt.0);
        }
        let record = Device {
            name: agent.computer_name.0.clone().unwrap_or_else(|| format!("Agent {id}")),
            hostname: agent.computer_name.0,
            class: agent.machine_type.0,
            os: agent.os_name.0.or(agent.os_type.0),
            os_version: agent.os_revision.0,
            manufacturer,
            model,
            serial: agent.serial_number.0,
            macs,
            ips,
            public_ip: agent.external_ip.0,
            online: agent.is_active.0,
            last_contact_at: agent.last_active_date.0,
            last_user: agent.last_logged_in_user_name.0,
            created_at: agent.registered_at.0.or(agent.created_at.0),
            ..Device::default()
        };
        Ok(Item { id, entity: Some(site), record })
    }
}

/// Maker and model, which come as one text: "Example Computers - Desk 7010".
fn made(model_name: Option<String>) -> (Option<String>, Option<String>) {
    let Some(name) = model_name else { return (None, None) };
    let said = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    match name.split_once(" - ") {
        Some((maker, model)) => (said(maker), said(model)),
        None => (None, Some(name)),
    }
}
