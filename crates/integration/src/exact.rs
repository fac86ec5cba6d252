//! Numbers and money as the vendor wrote them, never through binary floats.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;

/// A decimal read digit by digit from a JSON number or a JSON string of digits. Only for
/// `serde_json` (it needs the raw text); at most 28 significant digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(pub Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get().trim().trim_matches('"').trim();
        let parsed = if text.contains(['e', 'E']) { Decimal::from_scientific(text) } else { Decimal::from_str(text) };
        parsed.map(Self).map_err(|_| D::Error::custom("not a decimal number"))
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

/// An amount with its currency. Unit prices may have more decimals than the currency has minor
/// units; the vendor's decimals are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Amount in major units ("22.00").
    pub amount: Exact,
    /// ISO 4217 code in capitals.
    pub currency: String,
}

impl Money {
    /// An amount in this currency; the code is put in capitals.
    pub fn new(amount: Exact, currency: &str) -> Self {
        Self { amount, currency: currency.trim().to_ascii_uppercase() }
    }

    /// The amount in minor units (cents), or `None` where the price is finer than that.
    pub fn minor_units(&self) -> Option<i64> {
        let digits = match self.currency.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND" | "VUV"
            | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        };
        let scaled = self.amount.0.checked_mul(Decimal::from(10_i64.pow(digits)))?;
        scaled.fract().is_zero().then(|| i64::try_from(scaled.trunc()).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_survive_as_written() {
        for (json, text) in [("22.00", "22.00"), ("0.1", "0.1"), ("\"17.60\"", "17.60"), ("1.5e2", "150"), ("-3", "-3")]
        {
            let exact: Exact = serde_json::from_str(json).expect("reads");
            assert_eq!(exact.0.to_string(), text);
        }
        assert!(serde_json::from_str::<Exact>("true").is_err());
        assert!(serde_json::from_str::<Exact>("\"many\"").is_err());
    }

    #[test]
    fn minor_units_follow_the_currency() {
        let money = |text: &str, currency| Money::new(Exact(Decimal::from_str(text).expect("decimal")), currency);
        assert_eq!(money("22.00", "usd").minor_units(), Some(2200));
        assert_eq!(money("17.6", "USD").minor_units(), Some(1760));
        assert_eq!(money("500", "JPY").minor_units(), Some(500));
        assert_eq!(money("1.234", "KWD").minor_units(), Some(1234));
        assert_eq!(money("0.004", "USD").minor_units(), None);
    }
}
