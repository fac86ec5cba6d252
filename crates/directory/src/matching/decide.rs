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
/// Accepted is only what rests on an identifier, on an equal normalised name or on [`SignalKind::NearlyExact`], against
/// which no identifier, place, number or word speaks. A threshold of 0 does not change that.
pub fn decide(suggestions: &[Suggestion], threshold: f64) -> Decision {
    let Some(best) = suggestions.first() else { return Decision::None };
    let holds = |kind| best.signals.iter().any(|signal| signal.kind == kind);
    let suffers = |kind| best.against.iter().any(|signal| signal.kind == kind);
    let close = suggestions.get(1).is_some_and(|second| best.score - second.score < CLOSE);
    let certain = holds(SignalKind::Tenant) && !suffers(SignalKind::SharedIdentifier);
    if suffers(SignalKind::Contested) || (close && !certain && best.score >= WORTH_A_LOOK) {
        return Decision::Ambiguous;
    }
    if best.score < WORTH_A_LOOK {
        return Decision::None;
    }
    let identified = [SignalKind::Tenant, SignalKind::ExternalId, SignalKind::Domain].into_iter().any(holds);
    let same_name = [
        SignalKind::SameName,
        SignalKind::ExactName,
        SignalKind::WordOrder,
        SignalKind::Spacing,
        SignalKind::NearlyExact,
    ];
    let contradicted =
        [SignalKind::OtherTenant, SignalKind::OtherExternalId, SignalKind::OtherCountry, SignalKind::SharedIdentifier];
    let sound = certain && !suffers(SignalKind::OtherExternalId);
    let supported = identified || same_name.into_iter().any(holds);
    if best.score >= threshold && supported && (sound || !contradicted.into_iter().any(suffers)) {
        Decision::Accept(best.client_id)
    } else {
        Decision::Review
    }
}
