//! What vendors write, brought to one spelling; what says nothing is `None`.

use std::fmt;

use super::{
    System,
    tables::{DIGITS, DIGITS_FALLING, PLACEHOLDER_HOSTNAMES, PLACEHOLDER_SERIALS, TRAVELLING_MACS},
};

/// Longest serial number that is believed, in letters and digits.
const LONGEST_SERIAL: usize = 64;

/// Letters and digits in which two serial numbers must agree at least.
const SHORTEST_SERIAL: usize = 4;

/// A serial number: letters and digits, in capitals. VMware's carry their maker's name at some vendors and not at
/// others.
pub fn serial(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let plain = match plain.strip_prefix("VMWARE") {
        Some(rest) if rest.len() >= 16 => rest.to_owned(),
        _ => plain,
    };
    let first = plain.chars().next()?;
    let says = (SHORTEST_SERIAL..=LONGEST_SERIAL).contains(&plain.len())
        && plain.chars().any(|c| c != first)
        && !PLACEHOLDER_SERIALS.contains(&plain.as_str())
        && !DIGITS.contains(&plain)
        && !DIGITS_FALLING.contains(&plain)
        && !periodic(&plain);
    says.then_some(plain)
}

/// Whether it is a few letters again and again ("1212121212", "ABCABCABC").
fn periodic(text: &str) -> bool {
    let bytes = text.as_bytes();
    (2..=3).any(|period| bytes.len() >= 3 * period && bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b))
}

/// The hardware address of an adapter that stays in its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// Reads a hardware address in any of the usual spellings. Those that are no machine's own are `None`: all zeros or
/// ones, for several receivers, made up locally (also by telephones that hide), of docking stations and VPN clients.
pub fn mac(text: &str) -> Option<Mac> {
    let text = text.trim();
    if text.chars().any(|c| !c.is_ascii_hexdigit() && !matches!(c, ':' | '-' | '.' | ' ')) {
        return None;
    }
    let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    if digits.len() != 12 {
        return None;
    }
    let mut bytes = [0; 6];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |sum, digit| sum * 16 + digit);
    }
    let nobody = bytes.iter().all(|byte| *byte == bytes[0]) || bytes[3..] == [0, 0, 0];
    let several = bytes[0] & 0b01 != 0;
    let made_up = bytes[0] & 0b10 != 0;
    let travels = TRAVELLING_MACS.iter().any(|(start, _)| bytes.starts_with(start));
    (!nobody && !several && !made_up && !travels).then_some(Mac(bytes))
}

/// A host name in small letters, without its domain. What a person wrote with blanks is a description.
pub fn hostname(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('$').to_lowercase();
    if text.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let host = text.split('.').next().unwrap_or_default();
    let says = (2..=63).contains(&host.chars().count())
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
        && host.chars().any(char::is_alphabetic)
        && !PLACEHOLDER_HOSTNAMES.contains(&host);
    says.then(|| host.to_owned())
}

/// The family of an operating system.
pub(super) fn system(text: &str) -> Option<System> {
    let text = text.trim().to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["windows"]) {
        Some(System::Windows)
    } else if has(&["macos", "mac os", "os x", "darwin"]) {
        Some(System::Mac)
    } else if text.starts_with("ios") || has(&["ipados", "iphone"]) {
        Some(System::Ios)
    } else if has(&["android"]) {
        Some(System::Android)
    } else if has(&["linux", "ubuntu", "debian", "centos", "red hat", "rhel", "suse", "fedora"]) {
        Some(System::Linux)
    } else {
        None
    }
}
