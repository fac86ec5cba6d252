//! What a company or a client may be already: for whoever makes them by themselves. Any likeness that is worth a
//! person's look counts, because a doublet costs more than a question.

use std::collections::BTreeMap;

use domain::{Client, ClientId, Entity, EntityId, Result};
use persistence::Tx;

use crate::{
    mappings::{candidate, matcher, suggest},
    matching::{Decision, Matcher, Subject, Suggestion, decide},
};

/// What something may be already: its id, and what the likeness rests on.
pub type Likeness<I> = Option<(I, String)>;

/// For each company, the client that it may be.
pub async fn clients_like(tx: &Tx, companies: &[Entity]) -> Result<Vec<Likeness<ClientId>>> {
    let matcher = matcher(tx).await?;
    Ok(companies.iter().map(|company| like(&suggest(&matcher, company, 2))).collect())
}

/// For each client, the company among these that may be it.
pub fn companies_like(clients: &[Client], companies: &[Entity]) -> Vec<Likeness<EntityId>> {
    let matcher = Matcher::new(companies.iter().map(candidate).collect());
    let none = BTreeMap::new();
    let of = |client: &Client| {
        let domain = client.contact_email.as_deref().and_then(|email| email.rsplit_once('@'));
        let domains: Vec<String> = domain.map(|(_, domain)| domain.to_owned()).into_iter().collect();
        let subject = Subject { name: &client.name, domains: &domains, tenant_id: None, external_ids: &none };
        like(&matcher.suggest(&subject, 2)).map(|(id, because)| (EntityId(id.0), because))
    };
    clients.iter().map(of).collect()
}

fn like(suggestions: &[Suggestion]) -> Likeness<ClientId> {
    if decide(suggestions, 1.0) == Decision::None {
        return None;
    }
    let best = suggestions.first()?;
    let because: Vec<&str> = best.signals.iter().take(3).map(|signal| signal.detail.as_str()).collect();
    Some((best.client_id, because.join("; ")))
}
