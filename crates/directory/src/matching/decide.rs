//! Accept, ambiguous, review or none.

use domain::ClientId;
use serde::{Deserialize, Serialize};

use super::{SignalKind, Suggestion};

/// Below this a likeness is not worth a person's time.
pub(super) const WORTH_A_LOOK: f64 = 0.45;
/// Scores this close are not told apart.
const CLOSE: f64 = 0.02;

/// What to do with an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Belongs to this client; may be mapped without a person.
    Accept(ClientId),
    /// Several clients fit. Never mapped without a person, whatever the threshold.
    Ambiguous,
    /// The first suggestion is worth a look.
    Review,
    /// Nothing fits.
    None,
}

/// Decides over the suggestions of one entity (best first, at least the best two), accepting from `threshold` on.
///
/// Accepted is only what rests on a tenant, an id of another tool, a domain, an equal normalised name or
/// [`SignalKind::NearlyExact`]. Another id forbids it; so do another tenant or country, or nothing but identifiers that
/// several clients have, unless the tenant is the same; a name that people taught of several clients is ambiguous; a domain alone does not carry names that are unlike or differ in place or number. A threshold
/// of 0 changes none of this.
pub fn decide(suggestions: &[Suggestion], threshold: f64) -> Decision {
    let Some(best) = suggestions.first() else { return Decision::None };
    let holds = |kind| best.signals.iter().any(|signal| signal.kind == kind);
    let suffers = |kind| best.against.iter().any(|signal| signal.kind == kind);
    let close = suggestions.get(1).is_some_and(|second| best.score - second.score < CLOSE);
    // An identifier of several clients weighs less than this.
    let alone = |kind| best.signals.iter().any(|signal| signal.kind == kind && signal.weight > 0.9);
    let certain = alone(SignalKind::Tenant);
    let taught_twice = suffers(SignalKind::SharedAlias) && !certain;
    if taught_twice || suffers(SignalKind::Contested) || (close && !certain && best.score >= WORTH_A_LOOK) {
        return Decision::Ambiguous;
    }
    if best.score < WORTH_A_LOOK {
        return Decision::None;
    }
    let any = |kinds: &[SignalKind]| kinds.iter().any(|kind| holds(*kind));
    let same_name = any(&[
        SignalKind::SameName,
        SignalKind::ExactName,
        SignalKind::WordOrder,
        SignalKind::Spacing,
        SignalKind::NearlyExact,
    ]);
    // The branches of a chain have one domain; and a domain may change hands.
    let domain = holds(SignalKind::Domain)
        && ![SignalKind::OtherPlace, SignalKind::OtherNumber, SignalKind::UnlikeName].into_iter().any(suffers);
    let supported = same_name || domain || any(&[SignalKind::Tenant, SignalKind::ExternalId]);
    let shared = suffers(SignalKind::SharedIdentifier) && !alone(SignalKind::ExternalId) && !alone(SignalKind::Domain);
    let contradicted = shared || suffers(SignalKind::OtherTenant) || suffers(SignalKind::OtherCountry);
    let sound = (certain || !contradicted) && !suffers(SignalKind::OtherExternalId);
    if best.score >= threshold && supported && sound { Decision::Accept(best.client_id) } else { Decision::Review }
}
