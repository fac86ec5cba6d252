//! One business, many spellings.

use std::collections::HashSet;

use vendorkit::{
    World, WorldSize, a_tuesday,
    world::{VENDORS, without_legal_form},
};

#[test]
fn noise_is_stable_varied_and_leaves_a_name() {
    let world = World::generate(WorldSize { businesses: 400, devices: 0, people: 0 }, 7, a_tuesday());
    let (mut same, mut upper, mut all) = (0, 0, 0);
    for business in world.businesses() {
        let names: HashSet<String> = VENDORS.iter().map(|vendor| business.name_at(vendor)).collect();
        assert!(names.len() > 2, "every vendor writes {}", business.legal_name);
        for vendor in VENDORS {
            let name = business.name_at(vendor);
            assert_eq!(name, business.name_at(vendor));
            assert!(name.trim().len() > 3, "{name:?} of {}", business.legal_name);
            all += 1;
            same += usize::from(name == business.legal_name);
            upper += usize::from(name == name.to_uppercase());
        }
    }
    assert!(same * 100 / all > 10 && same * 100 / all < 50, "{same} of {all} as registered");
    assert!(upper * 100 / all > 5 && upper * 100 / all < 20, "{upper} of {all} in capitals");
}

#[test]
fn legal_forms_are_found_at_the_end_only() {
    for (legal, short) in [
        ("Harbour Dental Pty Ltd", "Harbour Dental"),
        ("Bäckerei Wiesner GmbH & Co. KG", "Bäckerei Wiesner"),
        ("Alder & Sons Ltd", "Alder"),
        ("Coop", "Coop"),
        ("Ltd", "Ltd"),
        ("Limited Editions", "Limited Editions"),
        ("Duinzicht Bouw B.V.", "Duinzicht Bouw"),
    ] {
        assert_eq!(without_legal_form(legal), short);
    }
}
