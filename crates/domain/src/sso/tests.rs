use proptest::prelude::*;

use super::*;

const TENANT: &str = "0b0b0b0b-1111-4222-8333-444444444444";

fn provider(kind: SsoKind, audience: SsoAudience, client: Option<ClientId>) -> SsoProvider {
    let at = Timestamp::from_timestamp(1_800_000_000, 0).expect("valid");
    SsoProvider {
        id: SsoProviderId(Uuid::from_u128(1)),
        audience,
        client_id: client,
        name: "Microsoft".to_owned(),
        kind,
        issuer: ENTRA_AUTHORITY.to_owned(),
        app_id: "app".to_owned(),
        secret_version: 1,
        enabled: true,
        tenants: BTreeSet::new(),
        domains: BTreeSet::new(),
        just_in_time: false,
        trusts_mfa: false,
        created_at: at,
        updated_at: at,
        version: 1,
    }
}

fn client(number: u128) -> ClientId {
    ClientId(Uuid::from_u128(number))
}

#[test]
fn what_cannot_be_is_named() {
    let own = |kind, audience| provider(kind, audience, None);
    let named = |set: &[&str]| set.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    let (entra, oidc) = (SsoKind::Entra, SsoKind::Oidc);
    let (staff, portal) = (SsoAudience::Staff, SsoAudience::Portal);
    let cases = [
        (own(entra, staff), Some("required")),
        (SsoProvider { tenants: named(&[TENANT]), ..own(entra, staff) }, None),
        (SsoProvider { tenants: named(&[TENANT]), ..own(entra, portal) }, Some("mapped")),
        (SsoProvider { tenants: named(&[TENANT]), ..own(oidc, staff) }, Some("entra_only")),
        (SsoProvider { tenants: named(&["common"]), ..own(entra, staff) }, Some("not_a_tenant")),
        (SsoProvider { tenants: named(&[PERSONAL_TENANT]), ..own(entra, staff) }, Some("not_a_tenant")),
        (SsoProvider { tenants: named(&[&TENANT.to_uppercase()]), ..own(entra, staff) }, Some("not_a_tenant")),
        (SsoProvider { domains: named(&["quay.example"]), ..own(entra, portal) }, Some("clients_only")),
        (
            SsoProvider { domains: named(&["localhost"]), ..provider(oidc, portal, Some(client(1))) },
            Some("not_a_domain"),
        ),
        (SsoProvider { just_in_time: true, ..own(oidc, portal) }, Some("no_tenants")),
        (SsoProvider { just_in_time: true, ..own(oidc, staff) }, Some("not_for_staff")),
        (SsoProvider { just_in_time: true, ..provider(oidc, portal, Some(client(1))) }, Some("required")),
        (provider(oidc, staff, Some(client(1))), Some("not_for_staff")),
        (SsoProvider { just_in_time: true, ..own(entra, portal) }, None),
        (SsoProvider { issuer: "https://a.example/x?y".into(), ..own(oidc, portal) }, Some("not_an_issuer")),
        (SsoProvider { issuer: "https://u@a.example".into(), ..own(oidc, portal) }, Some("not_an_issuer")),
        (SsoProvider { issuer: "https://a.example/../b".into(), ..own(oidc, portal) }, Some("not_an_issuer")),
        (SsoProvider { issuer: "ftp://a.example".into(), ..own(oidc, portal) }, Some("not_an_issuer")),
        (SsoProvider { app_id: "a b".into(), ..own(oidc, portal) }, Some("not_an_app_id")),
        (SsoProvider { name: " ".into(), ..own(oidc, portal) }, Some("required")),
    ];
    for (provider, code) in cases {
        let found = provider.problems();
        match code {
            None => assert!(found.is_empty(), "{provider:?}: {found:?}"),
            Some(code) if code == "required" && provider.name == " " => assert!(!found.is_empty(), "{provider:?}"),
            Some(code) => assert!(found.iter().any(|one| one.code == code), "{provider:?}: {code} in {found:?}"),
        }
    }
}

#[test]
fn only_the_word_for_several_factors_counts() {
    assert!(shows_mfa(["pwd", "mfa"]));
    for methods in [&["pwd"][..], &["pwd", "otp"], &["MFA"], &["mfa "], &["rsa", "hwk"], &[]] {
        assert!(!shows_mfa(methods.iter().copied()), "{methods:?}");
    }
}

#[test]
fn a_tenant_has_one_spelling() {
    assert_eq!(tenant_of(&TENANT.to_uppercase()).as_deref(), Some(TENANT));
    for text in ["", "common", "{tenantid}", &TENANT.replace('-', ""), &format!("{{{TENANT}}}"), PERSONAL_TENANT] {
        assert_eq!(tenant_of(text), None, "{text}");
    }
}

#[test]
fn the_domain_of_an_address_is_what_follows_the_last_at() {
    assert_eq!(domain_of(" Pat@Quay.Example ").as_deref(), Some("quay.example"));
    assert_eq!(domain_of("a@b@quay.example").as_deref(), Some("quay.example"));
    for text in ["", "pat", "pat@", "pat@localhost", "pat@quay..example", "pat@%", "pat@a_b.example"] {
        assert_eq!(domain_of(text), None, "{text}");
    }
}

proptest! {
    /// Whatever is mapped and listed: nobody comes in to a client whose tenant it is not, and nobody's account is made
    /// for a client that they could not come in to.
    #[test]
    fn nobody_comes_in_to_another_client(
        entra in any::<bool>(), staff in any::<bool>(), only in proptest::option::of(1u128..4),
        asked in proptest::option::of(1u128..4), mapped in proptest::collection::btree_set(1u128..4, 0..3),
        listed in any::<bool>(), just_in_time in any::<bool>(), has_tenant in any::<bool>(),
    ) {
        let kind = if entra { SsoKind::Entra } else { SsoKind::Oidc };
        let audience = if staff { SsoAudience::Staff } else { SsoAudience::Portal };
        let tenants = if listed { BTreeSet::from([TENANT.to_owned()]) } else { BTreeSet::new() };
        let only = only.filter(|_| !staff).map(client);
        let provider = SsoProvider { tenants, just_in_time, ..provider(kind, audience, only) };
        let mapped: BTreeSet<ClientId> = mapped.into_iter().map(client).collect();
        let asked = asked.map(client);
        let tenant = has_tenant.then_some(TENANT);
        if provider.admits(tenant, asked, &mapped) {
            prop_assert_eq!(asked.is_none(), staff);
            if let (Some(asked), true) = (asked, entra) {
                prop_assert!(mapped.iter().all(|owner| *owner == asked), "another client's tenant");
            }
            if let (Some(only), Some(asked)) = (only, asked) {
                prop_assert_eq!(only, asked);
            }
            prop_assert!(!entra || listed || !mapped.is_empty());
        }
        if let Some(newcomer) = provider.client_of_newcomer(&mapped) {
            prop_assert!(just_in_time && !staff);
            prop_assert!(provider.admits(tenant, Some(newcomer), &mapped));
            prop_assert!(!entra || mapped.contains(&newcomer));
        }
    }
}
