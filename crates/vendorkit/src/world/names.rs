//! Countries with what businesses are called there. Cities are real, so that places make sense.

use super::{random::Random, words::*};

/// A country as far as businesses need it.
pub(super) struct Country {
    /// ISO 3166 code.
    pub code: &'static str,
    /// City and region.
    pub cities: &'static [(&'static str, &'static str)],
    /// Legal forms, the most usual first.
    pub forms: &'static [&'static str],
    /// What its businesses do, in their language.
    pub trades: &'static [&'static str],
    /// First words of names.
    pub words: &'static [&'static str],
    /// Streets.
    pub streets: &'static [&'static str],
    /// Telephone prefix from a range kept for fiction, or one that is not given out.
    pub phone: &'static str,
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Share among 100 businesses.
    pub share: usize,
}

/// All countries; their shares add up to 100.
pub(super) const COUNTRIES: &[Country] = &[
    Country {
        code: "GB",
        cities: &[
            ("Leeds", "West Yorkshire"),
            ("York", "North Yorkshire"),
            ("Bristol", "Bristol"),
            ("Cardiff", "Wales"),
            ("Glasgow", "Scotland"),
            ("Norwich", "Norfolk"),
            ("Exeter", "Devon"),
            ("Manchester", "Greater Manchester"),
        ],
        forms: &["Ltd", "Limited", "LLP", "& Sons Ltd", "plc"],
        trades: ENGLISH_TRADES,
        words: ENGLISH_WORDS,
        streets: ENGLISH_STREETS,
        phone: "+44 1632 960",
        currency: "GBP",
        share: 28,
    },
    Country {
        code: "AU",
        cities: &[
            ("Perth", "WA"),
            ("Fremantle", "WA"),
            ("Brisbane", "QLD"),
            ("Newcastle", "NSW"),
            ("Geelong", "VIC"),
            ("Hobart", "TAS"),
            ("Adelaide", "SA"),
        ],
        forms: &["Pty Ltd", "Pty Ltd", "Pty Limited", "& Sons Pty Ltd"],
        trades: ENGLISH_TRADES,
        words: ENGLISH_WORDS,
        streets: ENGLISH_STREETS,
        phone: "+61 2 5550 0",
        currency: "AUD",
        share: 24,
    },
    Country {
        code: "US",
        cities: &[
            ("Portland", "OR"),
            ("Austin", "TX"),
            ("Boise", "ID"),
            ("Columbus", "OH"),
            ("Savannah", "GA"),
            ("Duluth", "MN"),
            ("Newcastle", "WA"),
        ],
        forms: &["LLC", "Inc", "Inc.", "Corp", "& Associates LLC", "Co."],
        trades: ENGLISH_TRADES,
        words: ENGLISH_WORDS,
        streets: ENGLISH_STREETS,
        phone: "+1 503 555 01",
        currency: "USD",
        share: 20,
    },
    Country {
        code: "NZ",
        cities: &[("Wellington", "Wellington"), ("Dunedin", "Otago"), ("Nelson", "Nelson")],
        forms: &["Limited", "Ltd"],
        trades: ENGLISH_TRADES,
        words: ENGLISH_WORDS,
        streets: ENGLISH_STREETS,
        phone: "+64 4 555 0",
        currency: "NZD",
        share: 5,
    },
    Country {
        code: "IE",
        cities: &[("Cork", "Munster"), ("Galway", "Connacht")],
        forms: &["Ltd", "DAC"],
        trades: ENGLISH_TRADES,
        words: ENGLISH_WORDS,
        streets: ENGLISH_STREETS,
        phone: "+353 20 912 0",
        currency: "EUR",
        share: 4,
    },
    Country {
        code: "DE",
        cities: &[
            ("München", "Bayern"),
            ("Köln", "Nordrhein-Westfalen"),
            ("Lübeck", "Schleswig-Holstein"),
            ("Leipzig", "Sachsen"),
        ],
        forms: &["GmbH", "GmbH & Co. KG", "AG", "e.K."],
        trades: GERMAN_TRADES,
        words: GERMAN_WORDS,
        streets: &["Hauptstraße", "Bahnhofstraße", "Lindenweg", "Mühlgasse"],
        phone: "+49 30 23125 0",
        currency: "EUR",
        share: 7,
    },
    Country {
        code: "NL",
        cities: &[("Utrecht", "Utrecht"), ("Groningen", "Groningen"), ("Delft", "Zuid-Holland")],
        forms: &["B.V.", "BV", "N.V."],
        trades: DUTCH_TRADES,
        words: DUTCH_WORDS,
        streets: &["Dorpsstraat", "Havenkade", "Molenweg"],
        phone: "+31 20 555 0",
        currency: "EUR",
        share: 4,
    },
    Country {
        code: "FR",
        cities: &[("Nîmes", "Occitanie"), ("Lyon", "Auvergne-Rhône-Alpes"), ("Rennes", "Bretagne")],
        forms: &["S.A.", "SARL", "SAS"],
        trades: FRENCH_TRADES,
        words: FRENCH_WORDS,
        streets: &["Rue de la Gare", "Place du Marché", "Avenue des Tilleuls"],
        phone: "+33 1 99 00 0",
        currency: "EUR",
        share: 4,
    },
    Country {
        code: "ES",
        cities: &[("Logroño", "La Rioja"), ("Cádiz", "Andalucía")],
        forms: &["S.L.", "S.A."],
        trades: SPANISH_TRADES,
        words: SPANISH_WORDS,
        streets: &["Calle Mayor", "Plaza de la Fuente"],
        phone: "+34 900 555 0",
        currency: "EUR",
        share: 2,
    },
    Country {
        code: "SE",
        cities: &[("Göteborg", "Västra Götaland"), ("Umeå", "Västerbotten")],
        forms: &["AB"],
        trades: NORDIC_TRADES,
        words: NORDIC_WORDS,
        streets: &["Storgatan", "Hamngatan"],
        phone: "+46 8 465 004 ",
        currency: "SEK",
        share: 2,
    },
];

/// A country, as often as its share says.
pub(super) fn country(chance: &mut Random) -> &'static Country {
    let mut at = chance.below(COUNTRIES.iter().map(|c| c.share).sum());
    for country in COUNTRIES {
        if at < country.share {
            return country;
        }
        at -= country.share;
    }
    &COUNTRIES[0]
}
