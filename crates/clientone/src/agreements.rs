//! Agreements as staff make them: drafts, versions, and sending them to clients.

use std::collections::BTreeSet;

use domain::{
    Agreement, AgreementAct, AgreementId, AgreementInstance, AgreementInstanceId, AgreementState, ClientId, Error,
    NotificationKind, PageRequest, Permission, PortalRole, PortalState, PortalUserId, Problem, Result, valid_name,
};
use persistence::{PortalNotice, PortalUserFilter, PortalUserRow, Tx};

use crate::{config::manage_all, texts::valid_text};

/// Most characters of a text.
const TEXT: usize = 200_000;
/// Most clients of one sending.
const CLIENTS: usize = 200;

/// An agreement as it was typed.
#[derive(Clone, Debug)]
pub struct AgreementDraft {
    /// Title.
    pub title: String,
    /// The text, plain or Markdown.
    pub text: String,
    /// Whether only Managers may sign.
    pub managers_only: bool,
}

/// What to change about a draft; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct AgreementPatch {
    /// Title.
    pub title: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// Whether only Managers may sign.
    pub managers_only: Option<bool>,
    /// The version of the row that was read.
    pub version: Option<i32>,
}

impl AgreementDraft {
    fn check(self) -> Result<Self> {
        let title = valid_name("/title", &self.title);
        let text = valid_text("/text", &self.text.replace("\r\n", "\n"), TEXT);
        match (title, text) {
            (Ok(title), Ok(text)) => Ok(Self { title, text, managers_only: self.managers_only }),
            (title, text) => Err(Error::Invalid(title.err().into_iter().chain(text.err()).collect())),
        }
    }
}

/// To whom an agreement goes.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The clients, each of which gets a copy.
    pub clients: Vec<ClientId>,
    /// The one person who is to sign, of the only client; none means all Managers of each client.
    pub addressee: Option<PortalUserId>,
}

/// Makes an agreement: the draft of its first version. The caller commits.
pub async fn agreement_create(tx: &Tx, draft: AgreementDraft) -> Result<Agreement> {
    manage_all(tx)?;
    let draft = draft.check()?;
    let id: AgreementId = tx.new_id();
    let row = version_of(tx, id, id, 1, draft);
    tx.agreement_insert(&row).await?;
    Ok(row)
}

fn version_of(tx: &Tx, id: AgreementId, series_id: AgreementId, number: i32, draft: AgreementDraft) -> Agreement {
    let AgreementDraft { title, text, managers_only } = draft;
    let now = tx.now();
    Agreement {
        id,
        series_id,
        number,
        title,
        text,
        managers_only,
        sent_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Changes a draft. The caller commits.
pub async fn agreement_update(tx: &Tx, id: AgreementId, patch: AgreementPatch) -> Result<Agreement> {
    manage_all(tx)?;
    let before = tx.agreement(id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "agreement" });
    }
    let draft = AgreementDraft {
        title: patch.title.unwrap_or_else(|| before.title.clone()),
        text: patch.text.unwrap_or_else(|| before.text.clone()),
        managers_only: patch.managers_only.unwrap_or(before.managers_only),
    };
    let AgreementDraft { title, text, managers_only } = draft.check()?;
    tx.agreement_save(&before, Agreement { title, text, managers_only, ..before.clone() }).await
}

/// Makes the draft of the next version, with the title and text of the last. The caller commits.
pub async fn agreement_revise(tx: &Tx, id: AgreementId) -> Result<Agreement> {
    manage_all(tx)?;
    let series = tx.agreement(id).await?.series_id;
    let versions = tx.agreement_versions(series).await?;
    let last = versions.last().ok_or(Error::NotFound { what: "agreement" })?;
    if last.sent_at.is_none() {
        let message = format!("Version {} is a draft still: change that one.", last.number);
        return Err(Error::conflict("draft_exists", message));
    }
    let draft =
        AgreementDraft { title: last.title.clone(), text: last.text.clone(), managers_only: last.managers_only };
    let row = version_of(tx, tx.new_id(), series, last.number + 1, draft);
    tx.agreement_insert(&row).await?;
    Ok(row)
}

/// Sends a version to clients: from then on nothing of it changes, and what waits for a signature under an earlier
/// version is superseded, at every client. The caller commits.
pub async fn agreement_send(
    tx: &Tx,
    id: AgreementId,
    sending: Sending,
    base: Option<&str>,
) -> Result<(Agreement, Vec<AgreementInstance>)> {
    manage_all(tx)?;
    let series = tx.agreement(id).await?.series_id;
    let versions = tx.agreement_versions(series).await?;
    let agreement = versions.iter().find(|one| one.id == id).ok_or(Error::NotFound { what: "agreement" })?;
    if let Some(newer) = versions.iter().rev().find(|one| one.number > agreement.number && one.sent_at.is_some()) {
        let message = format!("Version {} was sent already: send that one.", newer.number);
        return Err(Error::conflict("newer_version", message));
    }
    let addressee = check_sending(tx, agreement, &sending).await?;
    let now = tx.now();
    let sent = match agreement.sent_at {
        Some(_) => agreement.clone(),
        None => tx.agreement_save(agreement, Agreement { sent_at: Some(now), ..agreement.clone() }).await?,
    };
    for old in tx.agreement_instances_open(series).await?.into_iter().filter(|old| old.agreement_id != id) {
        let state = old.state.after(AgreementAct::Supersede)?;
        let after = AgreementInstance { state, ended_at: Some(now), ..old.clone() };
        tx.agreement_instance_save(&old, after).await?;
    }
    let mut copies = Vec::with_capacity(sending.clients.len());
    for client in sending.clients {
        let copy = AgreementInstance {
            id: tx.new_id(),
            agreement_id: id,
            series_id: series,
            client_id: client,
            addressee: sending.addressee,
            state: AgreementState::Pending,
            sent_at: now,
            viewed_at: None,
            ended_at: None,
            reason: None,
            signature: None,
            updated_at: now,
            version: 1,
        };
        tx.agreement_instance_insert(&copy).await?;
        let to = match &addressee {
            Some(person) => vec![person.clone()],
            None => managers(tx, client).await?,
        };
        tell(tx, &sent, &copy, &to, base).await?;
        copies.push(copy);
    }
    Ok((sent, copies))
}

/// Checks every client and the person, with their rows locked; gives back the person.
async fn check_sending(tx: &Tx, agreement: &Agreement, sending: &Sending) -> Result<Option<PortalUserRow>> {
    let clients = &sending.clients;
    if !(1..=CLIENTS).contains(&clients.len()) {
        let message = format!("must name 1 to {CLIENTS} clients");
        return Err(Error::invalid("/client_ids", "wrong_number", message));
    }
    let mut problems = Vec::new();
    let holders: BTreeSet<ClientId> = tx.agreement_holders(agreement.id, clients).await?.into_iter().collect();
    for (at, client) in clients.iter().enumerate() {
        let mut refuse = |code, message: &str| problems.push(Problem::new(format!("/client_ids/{at}"), code, message));
        tx.client(*client).await?;
        if clients[..at].contains(client) {
            refuse("twice", "must not be named twice");
        }
        if holders.contains(client) {
            refuse("sent_already", "has this version already: withdraw that copy first, unless it is signed");
        }
        if !tx.portal_config(*client).await?.enabled {
            refuse("clientone_disabled", "must have ClientOne enabled, or nobody could sign");
        }
    }
    let mut found = None;
    if let Some(id) = sending.addressee {
        let mut refuse = |code, message: &str| problems.push(Problem::new("/portal_user_id", code, message));
        let person = tx.portal_user(id).await?;
        if clients.as_slice() != [person.client_id] {
            refuse("other_client", "must be someone of the one client that it is sent to");
        }
        if person.state != PortalState::Active {
            refuse("not_active", "must have accepted the invitation, and not be deactivated");
        }
        if agreement.managers_only && person.role != PortalRole::Manager {
            refuse("not_a_manager", "must be a Manager: this agreement is for Managers to sign only");
        }
        found = Some(person);
    }
    if problems.is_empty() { Ok(found) } else { Err(Error::Invalid(problems)) }
}

/// The Managers of a client who may come in; of very many the first.
pub(crate) async fn managers(tx: &Tx, client: ClientId) -> Result<Vec<PortalUserRow>> {
    let filter = PortalUserFilter {
        client: Some(client),
        role: Some(PortalRole::Manager),
        state: Some(PortalState::Active),
        search: None,
    };
    let page = PageRequest { limit: PageRequest::MOST, after: None };
    Ok(tx.portal_user_list(&filter, &page).await?.items)
}

async fn tell(
    tx: &Tx,
    agreement: &Agreement,
    copy: &AgreementInstance,
    to: &[PortalUserRow],
    base: Option<&str>,
) -> Result<()> {
    let title = &agreement.title;
    let notice = PortalNotice {
        kind: NotificationKind::AgreementWaiting,
        subject_id: copy.id.0,
        key: format!("agreement:{}:sent", copy.id),
        title: format!("An agreement waits for you: {title}"),
        paragraphs: vec![format!("Please read “{title}” (version {}), and sign it or decline.", agreement.number)],
        link: ("Read the agreement", format!("agreements/{}", copy.id)),
        base,
    };
    tx.portal_notify(copy.client_id, to, &notice).await
}

/// Takes back a copy that waits for someone. The caller commits.
pub async fn agreement_withdraw(tx: &Tx, id: AgreementInstanceId) -> Result<AgreementInstance> {
    tx.context().require(Permission::ClientoneManage)?;
    let before = tx.agreement_instance(id).await?;
    let state = before.state.after(AgreementAct::Withdraw)?;
    let after = AgreementInstance { state, ended_at: Some(tx.now()), ..before.clone() };
    tx.agreement_instance_save(&before, after).await
}
