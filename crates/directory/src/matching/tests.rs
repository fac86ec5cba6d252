//! One test for each rule, with small lists of clients as an MSP has them.

use std::collections::BTreeMap;

use domain::ClientId;
use uuid::Uuid;

use super::{Candidate, Decision, Matcher, SignalKind, Subject, Suggestion, decide, score::EXACT};

const THRESHOLD: f64 = 0.9;

pub fn id(n: u128) -> ClientId {
    ClientId(Uuid::from_u128(n))
}

/// Clients 1, 2, 3 … with these names.
fn clients(names: &[&str]) -> Vec<Candidate> {
    (1..).zip(names).map(|(n, name)| Candidate::named(id(n), vec![(*name).to_owned()])).collect()
}

pub fn ask(names: &[&str], name: &str) -> Vec<Suggestion> {
    Matcher::new(clients(names)).suggest(&Subject::named(name), 5)
}

fn decided(names: &[&str], name: &str) -> Decision {
    decide(&ask(names, name), THRESHOLD)
}

pub fn score(one: &str, other: &str) -> f64 {
    ask(&[one], other).first().map_or(0.0, |first| first.score)
}

fn has(signals: &[super::Signal], kind: SignalKind) -> bool {
    signals.iter().any(|signal| signal.kind == kind)
}

#[test]
fn names_that_are_the_same_are_accepted() {
    for (one, other) in [
        ("Harbour Dental Pty Ltd", "HARBOUR DENTAL"),
        ("Kettle & Moss", "Kettle and Moss Ltd."),
        ("Kettle + Moss", "kettle und moss"),
        ("Müller Bäckerei GmbH", "Mueller Baeckerei"),
        ("Müller Bäckerei GmbH", "Muller Backerei G.m.b.H."),
        ("Ærø Sejl A/S", "Aeroe Sejl AS"),
        ("Łódź Okna Sp. z o.o.", "Lodz Okna sp z oo"),
        ("Société Générique S.A.R.L.", "Societe Generique SARL"),
        ("A. Datum Corporation", "ADatum Corp"),
        ("J. P. Tranter", "JP Tranter, Inc."),
        ("J.P. Tranter S.r.l.", "J P Tranter"),
        ("O'Malley Roofing", "OMalley Roofing"),
        ("St. Brannoc School", "Saint Brannoc School"),
        ("Mt Esk Water", "Mount Esk Water Limited"),
        ("Orchid Svcs Intl", "Orchid Services International"),
        ("Ironbark Mfg Grp", "Ironbark Manufacturing Group"),
        ("Heron Assoc. Hldgs", "Heron Associates Holdings"),
        ("Four Oaks Nursery", "4 Oaks Nursery"),
        ("Studio 007", "Studio 7"),
        ("First Light Media", "1st Light Media"),
        ("DataSoft", "Data Soft LLC"),
        ("Data-Soft Toys", "DataSoft Toys"),
        ("Farrow, Brannigan & Voss", "Voss Brannigan Farrow"),
        ("The Copper Lantern", "Copper Lantern"),
        ("Copper Lantern Co., Ltd.", "Copper Lantern"),
        ("Falcon Works Sdn. Bhd.", "Falcon Works"),
        ("ООО Ромашка", "Ромашка"),
        ("株式会社 さくら", "さくら"),
        ("Quokka Pty Ltd t/a Heron Tours", "Heron Tours"),
        ("Ｈｅｒｏｎ Tours", "Heron Tours"),
        ("Heron\u{200b} Tours", "heron  tours"),
        ("🦘🦘", "🦘🦘"),
        ("Limited Ltd", "LIMITED"),
    ] {
        for (client, entity) in [(one, other), (other, one)] {
            assert_eq!(decided(&[client, "Unrelated Quarry"], entity), Decision::Accept(id(1)), "{client} / {entity}");
        }
    }
}

#[test]
fn names_that_look_alike_are_not_accepted() {
    for (one, other) in [
        ("Acme Dental", "Acme Rental"),
        ("Litware", "Lightware"),
        ("Smith Plumbing", "Smyth Plumbing"),
        ("Williams Law", "William Law"),
        ("Meyer Bau GmbH", "Meier Bau GmbH"),
        ("Harbour Dental Geelong", "Harbour Dental Ballarat"),
        ("East Lorne Boats", "West Lorne Boats"),
        ("Depot 12", "Depot 21"),
        ("Harbour Dental", "Harbour Dental 2"),
        ("Falcon Holdings GmbH", "Falcon Holdings Pty Ltd"),
        ("Contoso", "Acorn Construction"),
        ("🦘", "🐨"),
        ("का टूर्स", "कि टूर्स"),
        ("Harbour", "Harbour Dental Clinic"),
        ("Morgan Cleaning", "L. E. Morgan Cleaning"),
    ] {
        for (client, entity) in [(one, other), (other, one)] {
            let found = ask(&[client, "Unrelated Quarry"], entity);
            assert!(matches!(decide(&found, 0.0), Decision::Review | Decision::None), "{client} / {entity}: {found:?}");
        }
    }
}

#[test]
fn counter_evidence_is_listed_and_lowers_the_score() {
    for (client, entity, kind) in [
        ("Acme Dental", "Acme Rental", SignalKind::OtherWord),
        ("Harbour Dental Geelong", "Harbour Dental Ballarat", SignalKind::OtherPlace),
        ("Harbour Dental 1", "Harbour Dental 2", SignalKind::OtherNumber),
        ("Falcon Cranes GmbH", "Falcon Cranes Pty Ltd", SignalKind::OtherCountry),
        ("Falcon Cranes LLC", "Falcon Cranes Inc", SignalKind::OtherLegalForm),
        ("Falcon Cranes", "Falcon Cranes Depot", SignalKind::LeftOver),
        ("Kettle Dental", "Moss Dental", SignalKind::OnlyCommonWords),
    ] {
        let found = ask(&[client], entity);
        assert!(has(&found[0].against, kind), "{client} / {entity}: {found:?}");
        assert!(found[0].score < EXACT && found[0].against.iter().all(|signal| signal.weight >= 0.0), "{found:?}");
    }
    assert!(score("Acme Dental", "Acme Rental") < score("Acme Dental", "Acme Dentel"));
    assert!(score("Acme Dental 1", "Acme Dental 2") < score("Acme Dental 1", "Acme Dental"));
}

#[test]
fn likeness_is_explained() {
    for (client, entity, kind) in [
        ("Harbour Dental", "harbour dental", SignalKind::SameName),
        ("Harbour Dental", "Harbour Dental Ltd", SignalKind::ExactName),
        ("Harbour Dental", "Dental Harbour", SignalKind::WordOrder),
        ("Harbour Dental", "HarbourDental", SignalKind::Spacing),
        ("Harbour Dental", "Harbuor Dental", SignalKind::Typing),
        ("Harbour Brkrg", "Harbour Brokerage", SignalKind::Abbreviation),
        ("Harbour Upholstery", "Harbour Uphol", SignalKind::Cut),
        ("Harbour Dental Geelong Clinic", "HDGC", SignalKind::Initials),
        ("Harbour Dental", "Harbour Dental Depot", SignalKind::SharedWords),
    ] {
        let found = ask(&[client], entity);
        let signal = found[0].signals.iter().find(|signal| signal.kind == kind);
        assert!(signal.is_some_and(|signal| signal.weight > 0.0 && !signal.detail.is_empty()), "{found:?}");
    }
}

#[test]
fn a_single_slip_in_a_long_word_is_accepted_if_nothing_else_is_near() {
    let near = ask(&["Penhaligon Dental", "Orchid Tours"], "Penhaligno Dental");
    assert!(has(&near[0].signals, SignalKind::NearlyExact));
    assert_eq!(decide(&near, 0.85), Decision::Accept(id(1)));
    assert_ne!(decided(&["Penhaligon Dental", "Penhaligan Dental"], "Penhaligen Dental"), Decision::Accept(id(1)));
    assert_eq!(decide(&ask(&["Penhaligon Dental"], "Penhalgno Dentl"), 0.5), Decision::Review);
    for (client, entity) in [
        ("Moss Dental", "Mosk Dental"),
        ("Penhaligon", "Penhaligno"),
        ("Penhaligon Group", "Penhaligno Group"),
        ("Larsonby Dental", "Larsenby Dental"),
        ("Philipsen Dental", "Phillipsen Dental"),
        ("Thomsonby Dental", "Thompsonby Dental"),
        ("Karlowitz Dental", "Carlowitz Dental"),
    ] {
        assert_eq!(decide(&ask(&[client], entity), 0.5), Decision::Review, "{client} / {entity}");
    }
}

#[test]
fn rivals_are_ambiguous_whatever_the_threshold() {
    for (names, entity) in [
        (vec!["Kettle Ltd", "Kettle Limited"], "Kettle"),
        (vec!["Kettle Dental", "Kettle Rental"], "Kettle"),
        (vec!["Harbour Dental Group", "Harbour Dentistry Group"], "Harbour Dental Group"),
        (vec!["Heron Dental Geelong", "Heron Dental Ballarat"], "Heron Dental"),
        (vec!["Heron Dental Geelong", "Harbour Dock Gates"], "HDG"),
    ] {
        let found = ask(&names, entity);
        assert_eq!(decide(&found, 0.0), Decision::Ambiguous, "{entity}: {found:?}");
        assert!(has(&found[0].against, SignalKind::Contested));
    }
    // The equal name wins over one that merely begins with it.
    assert_eq!(
        decided(&["Harbour Dental Group Geelong", "Harbour Dental"], "Harbour Dental Ltd"),
        Decision::Accept(id(2))
    );
}

#[test]
fn learned_names_count_and_belong_to_their_client() {
    let mut all = clients(&["Harbour Dental", "Orchid Tours"]);
    all[0].names.push("HDC Portal Tenant".to_owned());
    let found = Matcher::new(all).suggest(&Subject::named("hdc portal tenant"), 5);
    assert_eq!(decide(&found, THRESHOLD), Decision::Accept(id(1)));
    assert_eq!(found.iter().filter(|suggestion| suggestion.client_id == id(1)).count(), 1);
}

struct Known {
    domains: Vec<String>,
    tenant: Option<String>,
    external: BTreeMap<String, String>,
}

fn known(domains: &[&str], tenant: Option<&str>, external: &[(&str, &str)]) -> Known {
    let text = |text: &str| text.to_owned();
    Known {
        domains: domains.iter().map(|domain| text(domain)).collect(),
        tenant: tenant.map(text),
        external: external.iter().map(|(system, id)| (text(system), text(id))).collect(),
    }
}

impl Known {
    fn subject<'a>(&'a self, name: &'a str) -> Subject<'a> {
        Subject { name, domains: &self.domains, tenant_id: self.tenant.as_deref(), external_ids: &self.external }
    }

    fn candidate(self, n: u128, name: &str) -> Candidate {
        Candidate {
            client_id: id(n),
            names: vec![name.to_owned()],
            domains: self.domains,
            tenant_ids: self.tenant.into_iter().collect(),
            external_ids: self.external.into_iter().collect(),
            aliases: Vec::new(),
        }
    }
}

const TENANT: &str = "5b0c2f7e-0000-4000-8000-00000000000a";
const OTHER_TENANT: &str = "5b0c2f7e-0000-4000-8000-00000000000b";

fn two(first: Known, second: Known, subject: &Known, name: &str) -> (Vec<Suggestion>, Decision) {
    let matcher = Matcher::new(vec![first.candidate(1, "Acorn Construction"), second.candidate(2, "Orchid Tours")]);
    let found = matcher.suggest(&subject.subject(name), 5);
    let decision = decide(&found, THRESHOLD);
    (found, decision)
}

#[test]
fn a_tenant_is_certain_whatever_the_name() {
    let braced = format!("{{{}}}", TENANT.to_uppercase());
    let (found, decision) =
        two(known(&[], Some(TENANT), &[]), known(&[], None, &[]), &known(&[], Some(&braced), &[]), "Orchid Tours");
    assert_eq!((decision, found[0].score), (Decision::Accept(id(1)), 1.0));

    let shared = known(&[], Some(TENANT), &[]);
    let (found, decision) = two(known(&[], Some(TENANT), &[]), shared, &known(&[], Some(TENANT), &[]), "Something");
    assert_eq!(decision, Decision::Ambiguous);
    assert!(has(&found[0].against, SignalKind::SharedIdentifier));

    // A domain that is shared takes nothing from a tenant that is not.
    let all = || known(&["acorn.example"], Some(TENANT), &[]);
    let (_, decision) = two(all(), known(&["acorn.example"], None, &[]), &all(), "Something");
    assert_eq!(decision, Decision::Accept(id(1)));

    let null = "00000000-0000-0000-0000-000000000000";
    let (found, _) = two(known(&[], Some(null), &[]), known(&[], None, &[]), &known(&[], Some(null), &[]), "Something");
    assert!(found.is_empty());
}

#[test]
fn another_tenant_or_id_keeps_an_equal_name_from_being_accepted() {
    let subject = known(&[], Some(OTHER_TENANT), &[]);
    let (found, decision) = two(known(&[], Some(TENANT), &[]), known(&[], None, &[]), &subject, "Acorn Construction");
    assert_eq!(decision, Decision::Review);
    assert!(has(&found[0].against, SignalKind::OtherTenant) && found[0].score < 0.8);

    let subject = known(&[], None, &[("psa", "7")]);
    let (found, decision) =
        two(known(&[], None, &[("PSA", "8")]), known(&[], None, &[]), &subject, "Acorn Construction");
    assert_eq!(decide(&found, 0.0), Decision::Review);
    assert_eq!(decision, Decision::Review);
    assert!(has(&found[0].against, SignalKind::OtherExternalId));
}

#[test]
fn an_id_of_another_tool_is_accepted_and_placeholders_are_not() {
    let subject = known(&[], None, &[("psa", "1042")]);
    let (_, decision) = two(known(&[], None, &[("PSA", " 1042 ")]), known(&[], None, &[]), &subject, "Brandt");
    assert_eq!(decision, Decision::Accept(id(1)));
    for nothing in ["", "0", "null", "N/A", "-"] {
        let subject = known(&[], None, &[("psa", nothing)]);
        let (found, _) = two(known(&[], None, &[("psa", nothing)]), known(&[], None, &[]), &subject, "Brandt");
        assert!(found.is_empty(), "{nothing}");
    }
    let subject = known(&[], None, &[("rmm", "1042")]);
    let (found, _) = two(known(&[], None, &[("psa", "1042")]), known(&[], None, &[]), &subject, "Brandt");
    assert!(found.is_empty());
}

#[test]
fn a_domain_counts_unless_shared() {
    let subject = known(&["https://www.Acorn.example/"], None, &[]);
    let (found, decision) = two(known(&["acorn.example"], None, &[]), known(&[], None, &[]), &subject, "Acorn Constr.");
    assert_eq!(decision, Decision::Accept(id(1)));
    assert!(has(&found[0].signals, SignalKind::Domain));

    let (found, decision) = two(known(&["acorn.example"], None, &[]), known(&[], None, &[]), &subject, "Contoso");
    assert_eq!(decision, Decision::Review);
    assert!(has(&found[0].against, SignalKind::UnlikeName));

    let both = known(&["acorn.example"], None, &[]);
    let (found, decision) = two(known(&["acorn.example"], None, &[]), both, &subject, "Contoso");
    assert_eq!(decision, Decision::Ambiguous);
    assert!(has(&found[0].against, SignalKind::SharedIdentifier));

    for shared in ["gmail.com", "outlook.com", "onmicrosoft.com", "localhost", ""] {
        let (found, _) =
            two(known(&[shared], None, &[]), known(&[], None, &[]), &known(&[shared], None, &[]), "Contoso");
        assert!(found.is_empty(), "{shared}");
    }
}

#[test]
fn a_chain_of_branches_is_told_apart_and_a_domain_of_everybody_is_nobodys() {
    let domain = vec!["heron.example".to_owned()];
    let branch =
        |n, name: &str| Candidate { domains: domain.clone(), ..Candidate::named(id(n), vec![name.to_owned()]) };
    let entity = |name| Subject { domains: &domain, ..Subject::named(name) };
    for (client, name) in [("Heron Dental Geelong", "Heron Dental Ballarat"), ("Heron Dental 1", "Heron Dental 2")] {
        let found = Matcher::new(vec![branch(1, client)]).suggest(&entity(name), 5);
        assert_eq!(decide(&found, 0.0), Decision::Review, "{found:?}");
    }
    let many = (1..40).map(|n| branch(n, &format!("Business{n} Tours"))).collect();
    let matcher = Matcher::new(many);
    assert!(matcher.suggest(&entity("Zanzibar Quarry"), 5).is_empty());
    assert_eq!(decide(&matcher.suggest(&entity("Business7 Tours"), 5), THRESHOLD), Decision::Accept(id(7)));
}

#[test]
fn other_domains_speak_against_and_a_domain_may_be_the_name() {
    let subject = known(&["acornbuilders.example"], None, &[]);
    let (found, _) = two(known(&["acorn.example"], None, &[]), known(&[], None, &[]), &subject, "Acorn Construction");
    assert!(has(&found[0].against, SignalKind::OtherDomain) && found[0].score < EXACT);

    let subject = known(&["orchidtours.onmicrosoft.com"], None, &[]);
    let (found, decision) = two(known(&[], None, &[]), known(&[], None, &[]), &subject, "OT");
    assert_eq!((found[0].client_id, decision), (id(2), Decision::Review));
    assert!(has(&found[0].signals, SignalKind::DomainIsName));

    let twice = known(&["acornworks.example", "acornworks.co.example"], None, &[]);
    let (found, decision) = two(twice, known(&[], None, &[]), &known(&[], None, &[]), "Acorn Works");
    assert_eq!((found[0].client_id, found[0].signals[0].weight, decision), (id(1), 0.7, Decision::Review));
}

#[test]
fn identifiers_that_name_two_clients_are_ambiguous() {
    let subject = known(&["orchid.example"], None, &[("psa", "1")]);
    let (_, decision) =
        two(known(&[], None, &[("psa", "1")]), known(&["orchid.example"], None, &[]), &subject, "Brandt");
    assert_eq!(decision, Decision::Ambiguous);
    let subject = known(&["orchid.example"], None, &[]);
    let (_, decision) =
        two(known(&[], None, &[]), known(&["orchid.example"], None, &[]), &subject, "Acorn Construction");
    assert_eq!(decision, Decision::Ambiguous);
    let subject = known(&[], Some(TENANT), &[("psa", "1")]);
    let (_, decision) = two(known(&[], None, &[("psa", "1")]), known(&[], Some(TENANT), &[]), &subject, "Brandt");
    assert_eq!(decision, Decision::Ambiguous);
}

#[test]
fn nothing_matches_nothing() {
    assert_eq!(decide(&[], 0.0), Decision::None);
    assert!(Matcher::new(Vec::new()).suggest(&Subject::named("Kettle"), 5).is_empty());
    for blank in ["", " ", "\t\n"] {
        assert!(ask(&["", " ", "Kettle"], blank).is_empty());
    }
    assert!(ask(&["Kettle"], "Zanzibar Quarry").is_empty());
    assert!(Matcher::new(clients(&["Kettle"])).suggest(&Subject::named("Kettle"), 0).is_empty());
}
