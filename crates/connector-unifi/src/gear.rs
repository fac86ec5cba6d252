//! One device, from the words of either API.

use integration::Device;

use crate::wire;

/// A device as Site Manager has it.
pub(crate) fn of_site_manager(device: wire::Device, reports: bool) -> (Option<String>, Device) {
    let mac = device.mac.0;
    let console = device.is_console.0 == Some(true);
    let record = Device {
        class: if console { Some("console".to_owned()) } else { device.product_line.0 },
        created_at: device.adoption_time.0,
        // The console was the last to know; when it is silent, nobody does.
        online: match device.status.0.as_deref() {
            Some("online") if reports => Some(true),
            Some("offline") if reports => Some(false),
            _ => None,
        },
        ..described(device.name.0, device.model.0, device.ip.0, device.version.0, mac.as_deref())
    };
    (id(mac.as_deref(), device.id.0), record)
}

/// A device as a Network application has it.
pub(crate) fn of_network_application(device: wire::NetworkDevice) -> (Option<String>, Device) {
    let mac = device.mac_address.0;
    let record = Device {
        class: device.features.0.filter(|features| !features.is_empty()).map(|features| features.join(", ")),
        online: match device.state.0.as_deref() {
            Some("ONLINE") => Some(true),
            Some("OFFLINE" | "CONNECTION_INTERRUPTED") => Some(false),
            _ => None,
        },
        ..described(device.name.0, device.model.0, device.ip_address.0, device.firmware_version.0, mac.as_deref())
    };
    (id(mac.as_deref(), device.id.0), record)
}

fn described(
    name: Option<String>,
    model: Option<String>,
    ip: Option<String>,
    version: Option<String>,
    mac: Option<&str>,
) -> Device {
    let mac = mac.map(|mac| spelled(mac).unwrap_or_else(|| mac.to_owned()));
    Device {
        name: name.or_else(|| model.clone()).or_else(|| mac.clone()).unwrap_or_else(|| "Device".to_owned()),
        model,
        manufacturer: Some("Ubiquiti".to_owned()),
        os_version: version,
        ips: ip.into_iter().collect(),
        macs: mac.into_iter().collect(),
        ..Device::default()
    }
}

/// The MAC address without separators: Site Manager's own id, and the one thing that both APIs agree on.
fn id(mac: Option<&str>, id: Option<String>) -> Option<String> {
    mac.and_then(spelled).map(|mac| mac.replace(':', "")).or(id).or_else(|| mac.map(str::to_owned))
}

/// A MAC address as `9C:05:D6:A1:B2:03`; the two APIs spell it differently.
fn spelled(mac: &str) -> Option<String> {
    let digits: Vec<char> = mac.chars().filter(|letter| !matches!(letter, ':' | '-' | '.')).collect();
    let whole = digits.len() == 12 && digits.iter().all(char::is_ascii_hexdigit);
    whole.then(|| {
        let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect::<String>().to_uppercase()).collect();
        pairs.join(":")
    })
}
