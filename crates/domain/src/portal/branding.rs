//! How ClientOne looks: a client's own, else the MSP's, else the product's. Colours must be readable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ContentId, Problem};

/// Least contrast of text and what is behind it (WCAG 2.2, 1.4.3, level AA).
pub const LEAST_CONTRAST_OF_TEXT: f64 = 4.5;
/// Least contrast of a button and what is behind it (WCAG 2.2, 1.4.11).
pub const LEAST_CONTRAST_OF_PARTS: f64 = 3.0;

/// A colour in sRGB, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour([u8; 3]);

impl Colour {
    /// Black.
    pub const BLACK: Self = Self([0, 0, 0]);
    /// White.
    pub const WHITE: Self = Self([255, 255, 255]);

    /// Relative luminance, 0 to 1, as WCAG defines it.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast of two colours, 1 (the same) to 21 (black and white).
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Black or white, whichever is read better on this colour; at least 4.5.
    pub fn readable_on(self) -> Self {
        if self.contrast(Self::BLACK) >= self.contrast(Self::WHITE) { Self::BLACK } else { Self::WHITE }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Colour {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be a colour such as #1f6feb";
        let digits = text.trim().strip_prefix('#').ok_or(wrong)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

/// Colours that go together: all of them are one's own, or none, so that one's text never meets another's background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Palette {
    /// Buttons and links.
    pub primary: Colour,
    /// Behind everything.
    pub background: Colour,
    /// Text.
    pub text: Colour,
}

impl Palette {
    /// The product's own.
    pub const PRODUCT: Self =
        Self { primary: Colour([0x1f, 0x5f, 0xbf]), background: Colour::WHITE, text: Colour([0x1a, 0x1f, 0x2b]) };
}

/// What cannot be read of these colours, by field.
pub fn palette_problems(at: &str, palette: &Palette) -> Vec<Problem> {
    let pairs = [
        ("text", palette.text, LEAST_CONTRAST_OF_TEXT, "make it darker or lighter"),
        ("primary", palette.primary, LEAST_CONTRAST_OF_PARTS, "buttons would not be seen"),
    ];
    let problem = |(field, colour, least, remedy): (&str, Colour, f64, &str)| {
        let found = colour.contrast(palette.background);
        // Cut, not rounded: 4.499 must not read as 4.5.
        let shown = (found * 100.0).floor() / 100.0;
        let message = format!("has a contrast of {shown:.2} to the background, and needs {least:.1}: {remedy}");
        (found < least).then(|| Problem::new(format!("{at}/{field}"), "low_contrast", message))
    };
    pairs.into_iter().filter_map(problem).collect()
}

/// What is one's own; what is left out is taken from the next: client, organisation, product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// Colours.
    pub palette: Option<Palette>,
    /// Shown on the dashboard below the greeting.
    pub welcome: Option<String>,
    /// What the portal is called.
    pub product_name: Option<String>,
    /// Picture that stands for the company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
}

/// A picture that stands for a company: a PNG that was made anew of what was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// Where its content is; also part of its public address.
    pub content_id: ContentId,
    /// SHA-256 of the PNG, hex.
    pub sha256: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// Whose a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrandingSource {
    /// The client's own.
    Client,
    /// The MSP's.
    Organisation,
    /// The product's.
    Default,
}

/// A value, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<T> {
    /// The value.
    pub value: T,
    /// Whose it is.
    pub source: BrandingSource,
}

/// How it looks in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectiveBranding {
    /// Colours.
    pub palette: Shown<Palette>,
    /// Welcome text.
    pub welcome: Shown<String>,
    /// What the portal is called.
    pub product_name: Shown<String>,
    /// Logo; the product has none.
    pub logo: Option<Shown<Logo>>,
}

/// What the portal is called when nobody says otherwise.
const PRODUCT_NAME: &str = "ClientOne";
/// What it says when nobody says otherwise.
const WELCOME: &str = "Here is how your IT stands.";

impl EffectiveBranding {
    /// What holds for a client; without one, for the MSP.
    pub fn of(client: Option<&Branding>, organisation: &Branding) -> Self {
        fn pick<T: Clone>(of: impl Fn(&Branding) -> Option<T>, from: [Option<&Branding>; 2], product: T) -> Shown<T> {
            let [client, organisation] = from.map(|one| one.and_then(&of));
            match (client, organisation) {
                (Some(value), _) => Shown { value, source: BrandingSource::Client },
                (None, Some(value)) => Shown { value, source: BrandingSource::Organisation },
                (None, None) => Shown { value: product, source: BrandingSource::Default },
            }
        }
        let from = [client, Some(organisation)];
        let logo = pick(|one| one.logo.clone().map(Some), from, None);
        Self {
            logo: logo.value.map(|value| Shown { value, source: logo.source }),
            palette: pick(|one| one.palette, from, Palette::PRODUCT),
            welcome: pick(|one| one.welcome.clone(), from, WELCOME.to_owned()),
            product_name: pick(|one| one.product_name.clone(), from, PRODUCT_NAME.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().expect("a colour")
    }

    #[test]
    fn contrast_is_as_wcag_gives_it() {
        let close = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(close(Colour::BLACK.contrast(Colour::WHITE), 21.0));
        assert!(close(colour("#777777").contrast(Colour::WHITE), 4.48));
        assert!(close(colour("#767676").contrast(Colour::WHITE), 4.54));
        assert!(close(colour("#0000ff").contrast(Colour::WHITE), 8.59));
    }

    #[test]
    fn the_products_own_colours_are_readable() {
        assert_eq!(palette_problems("", &Palette::PRODUCT), []);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let palette = Palette { primary: colour("#eeeeee"), text: colour("#777777"), background: Colour::WHITE };
        let named: Vec<String> = palette_problems("/colours", &palette).into_iter().map(|one| one.pointer).collect();
        assert_eq!(named, ["/colours/text", "/colours/primary"]);
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in ["", "red", "#fff", "#12345", "#1234567", "#12345g", "123456", "#+12345"] {
            assert!(text.parse::<Colour>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_value_says_whose_it_is() {
        let msp =
            Branding { product_name: Some("Desk".into()), welcome: Some("Hello.".into()), palette: None, logo: None };
        let client = Branding { welcome: Some("Hi.".into()), ..Branding::default() };
        let shown = EffectiveBranding::of(Some(&client), &msp);
        assert_eq!((shown.welcome.value.as_str(), shown.welcome.source), ("Hi.", BrandingSource::Client));
        assert_eq!(
            (shown.product_name.value.as_str(), shown.product_name.source),
            ("Desk", BrandingSource::Organisation)
        );
        assert_eq!((shown.palette.value, shown.palette.source), (Palette::PRODUCT, BrandingSource::Default));
    }

    proptest! {
        #[test]
        fn contrast_is_the_same_both_ways_and_bounded(a in any::<[u8; 3]>(), b in any::<[u8; 3]>()) {
            let (a, b) = (Colour(a), Colour(b));
            prop_assert!((a.contrast(b) - b.contrast(a)).abs() < 1e-9);
            prop_assert!((1.0..=21.000_1).contains(&a.contrast(b)));
        }

        #[test]
        fn every_colour_has_text_that_is_read_on_it(a in any::<[u8; 3]>()) {
            let colour = Colour(a);
            prop_assert!(colour.contrast(colour.readable_on()) >= LEAST_CONTRAST_OF_TEXT);
            prop_assert_eq!(colour.to_string().parse::<Colour>(), Ok(colour));
        }
    }
}
