//! Holding what a client has against what is paid for it. Pure: a [`Snapshot`] in, lines out.

use std::collections::BTreeMap;

use integration::Exact;
use rust_decimal::Decimal;

use crate::snapshots::{Snapshot, SubscriptionOf};

/// How a count stands to what is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More is used than is paid for.
    Under,
    /// More is paid for than is used.
    Over,
    /// As many as are paid for.
    Matched,
    /// One of the two is not known.
    Unknown,
}

/// What is held against what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Seats in use against seats owned, at one vendor.
    SeatsUsed,
    /// Seats owned at a vendor against seats subscribed.
    SeatsOwned,
    /// Devices against units subscribed.
    Devices,
}

/// One product, counted and paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Product, or vendor whose devices are counted, in people's words.
    pub what: String,
    /// What is held against what.
    pub held: Held,
    /// How many there are.
    pub counted: Option<Exact>,
    /// Who says so.
    pub counted_by: String,
    /// How many are paid for.
    pub paid: Option<Exact>,
    /// Who says so.
    pub paid_by: String,
    /// Counted less paid: above zero, something is not billed.
    pub variance: Option<Exact>,
    /// The same in a word.
    pub verdict: Verdict,
}

impl Line {
    fn new(what: &str, held: Held, counted: (Option<Decimal>, &str), paid: (Option<Decimal>, &str)) -> Self {
        let variance = counted.0.zip(paid.0).map(|(counted, paid)| counted - paid);
        let verdict = match variance {
            None => Verdict::Unknown,
            Some(variance) if variance.is_zero() => Verdict::Matched,
            Some(variance) if variance.is_sign_positive() => Verdict::Under,
            Some(_) => Verdict::Over,
        };
        Self {
            what: what.to_owned(),
            held,
            counted: counted.0.map(Exact),
            counted_by: counted.1.to_owned(),
            paid: paid.0.map(Exact),
            paid_by: paid.1.to_owned(),
            variance: variance.map(Exact),
            verdict,
        }
    }
}

/// Every line of a snapshot. `names` are the vendors' names by integration.
///
/// * A licence is held against itself: used against owned.
/// * A subscription whose product has the name of a licence is held against the seats owned; several
///   subscriptions of one product and vendor are one.
/// * A subscription whose product names a vendor that counts devices of the client is held against those; all
///   products of that vendor together.
pub fn reconcile(snapshot: &Snapshot, names: &BTreeMap<String, String>) -> Vec<Line> {
    let mut lines = Vec::new();
    for licence in &snapshot.licences {
        let (used, owned) = (licence.used.map(Decimal::from), licence.total.map(Decimal::from));
        let by = licence.integration.as_str();
        lines.push(Line::new(&licence.name, Held::SeatsUsed, (used, by), (owned, by)));
    }
    let mut seats: BTreeMap<(String, &str), Vec<&SubscriptionOf>> = BTreeMap::new();
    let mut devices: BTreeMap<(&str, &str), Vec<&SubscriptionOf>> = BTreeMap::new();
    for subscription in &snapshot.subscriptions {
        let product = words(&subscription.product);
        let by = subscription.integration.as_str();
        if snapshot.licences.iter().any(|licence| words(&licence.name) == product) {
            seats.entry((product.join(" "), by)).or_default().push(subscription);
            continue;
        }
        let named = |integration: &str| names.get(integration).is_some_and(|name| holds(&product, &words(name)));
        if let Some(counted) = snapshot.devices.iter().find(|counted| named(&counted.integration)) {
            devices.entry((&counted.integration, by)).or_default().push(subscription);
        }
    }
    for ((product, by), paid) in seats {
        let of = snapshot.licences.iter().filter(|licence| words(&licence.name).join(" ") == product);
        let owned: Option<Decimal> = of.clone().map(|licence| licence.total.map(Decimal::from)).sum();
        let Some(first) = of.clone().next() else { continue };
        lines.push(Line::new(&first.name, Held::SeatsOwned, (owned, &first.integration), (quantity(&paid), by)));
    }
    for ((integration, by), paid) in devices {
        let counted = snapshot.devices.iter().find(|counted| counted.integration == integration);
        let counted = counted.and_then(|counted| counted.count).map(Decimal::from);
        let name = names.get(integration).map_or(integration, String::as_str);
        lines.push(Line::new(name, Held::Devices, (counted, integration), (quantity(&paid), by)));
    }
    lines
}

/// All of them together; unknown when one is.
fn quantity(subscriptions: &[&SubscriptionOf]) -> Option<Decimal> {
    subscriptions.iter().map(|one| one.quantity.map(|quantity| quantity.0)).sum()
}

/// A product's name in words that can be compared: without what resellers put in square brackets, and without the
/// mark of Microsoft's new commerce.
fn words(name: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let plain: String = name
        .to_lowercase()
        .chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && *c != ']'
        })
        .collect();
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty() && *word != "nce");
    words.map(str::to_owned).collect()
}

/// Whether these words stand in those, one after the other.
fn holds(all: &[String], part: &[String]) -> bool {
    !part.is_empty() && all.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshots::{CountOf, LicenceOf};

    fn licence(name: &str, total: Option<i64>, used: Option<i64>) -> LicenceOf {
        LicenceOf { integration: "microsoft365".to_owned(), name: name.to_owned(), total, used }
    }

    fn paid(product: &str, quantity: Option<i64>) -> SubscriptionOf {
        let quantity = quantity.map(|quantity| Exact(Decimal::from(quantity)));
        SubscriptionOf { integration: "pax8".to_owned(), product: product.to_owned(), quantity }
    }

    fn names() -> BTreeMap<String, String> {
        [("sentinelone", "SentinelOne"), ("pax8", "Pax8"), ("microsoft365", "Microsoft 365")]
            .map(|(id, name)| (id.to_owned(), name.to_owned()))
            .into()
    }

    fn line(lines: &[Line], held: Held) -> Vec<(&str, Option<i64>, Verdict)> {
        let number = |exact: Option<Exact>| exact.map(|exact| exact.0.try_into().expect("whole"));
        let of = lines.iter().filter(|line| line.held == held);
        of.map(|line| (line.what.as_str(), number(line.variance), line.verdict)).collect()
    }

    #[test]
    fn seats_are_held_against_what_is_subscribed_by_name_whatever_the_reseller_adds() {
        let snapshot = Snapshot {
            licences: vec![
                licence("Microsoft 365 Business Premium", Some(25), Some(25)),
                licence("Exchange Online (Plan 1)", Some(10), Some(12)),
                licence("Exchange Online (Plan 2)", Some(3), None),
            ],
            subscriptions: vec![
                paid("Microsoft 365 Business Premium [New Commerce Experience]", Some(20)),
                paid("Microsoft 365 Business Premium (NCE)", Some(3)),
                paid("Exchange Online (Plan 1)", Some(12)),
                paid("Exchange Online (Plan 2)", None),
                paid("Awareness Training", Some(5)),
            ],
            ..Snapshot::default()
        };
        let lines = reconcile(&snapshot, &names());
        assert_eq!(
            line(&lines, Held::SeatsUsed),
            [
                ("Microsoft 365 Business Premium", Some(0), Verdict::Matched),
                ("Exchange Online (Plan 1)", Some(2), Verdict::Under),
                ("Exchange Online (Plan 2)", None, Verdict::Unknown),
            ]
        );
        assert_eq!(
            line(&lines, Held::SeatsOwned),
            [
                ("Exchange Online (Plan 1)", Some(-2), Verdict::Over),
                ("Exchange Online (Plan 2)", None, Verdict::Unknown),
                ("Microsoft 365 Business Premium", Some(2), Verdict::Under),
            ]
        );
    }

    #[test]
    fn devices_are_held_against_all_products_that_name_their_vendor() {
        let counted = |count| vec![CountOf { integration: "sentinelone".to_owned(), count }];
        let subscriptions = vec![paid("SentinelOne Complete", Some(30)), paid("Control by SentinelOne", Some(10))];
        let known =
            Snapshot { devices: counted(Some(42)), subscriptions: subscriptions.clone(), ..Snapshot::default() };
        assert_eq!(line(&reconcile(&known, &names()), Held::Devices), [("SentinelOne", Some(2), Verdict::Under)]);
        // Never listed to the end is unknown, and not none.
        let unknown = Snapshot { devices: counted(None), subscriptions, ..Snapshot::default() };
        assert_eq!(line(&reconcile(&unknown, &names()), Held::Devices), [("SentinelOne", None, Verdict::Unknown)]);
    }

    #[test]
    fn a_name_within_a_word_is_no_name() {
        let snapshot = Snapshot {
            devices: vec![CountOf { integration: "pax8".to_owned(), count: Some(1) }],
            subscriptions: vec![paid("Pax80 Something", Some(1))],
            ..Snapshot::default()
        };
        assert!(reconcile(&snapshot, &names()).is_empty());
    }
}
