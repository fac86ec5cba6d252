//! The team: who belongs to it, with which role, for which clients.
//!
//! Rules: there is always an owner who can sign in; owners are made and changed by owners only,
//! and see every client. Managing the team takes the whole client scope, so nobody gives another,
//! or themselves, clients beyond their own.

use std::collections::BTreeSet;

use domain::{ClientId, Context, Error, Permission, Problem, Result, Role, StaffId, valid_email, valid_name};
use persistence::{StaffRow, Tx};
use secrecy::{ExposeSecret, SecretString};

use crate::{Gate, passwords::password_problem, team};

/// Clients that one list may name.
const MOST_CLIENTS: usize = 5_000;

/// What it takes to make a staff user; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// Name.
    pub name: String,
    /// Address, by which they sign in.
    pub email: String,
    /// First password; without one they cannot sign in until one is set.
    pub password: Option<SecretString>,
    /// Role.
    pub role: Role,
    /// Clients they may see; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Clients they may not see; beats the former.
    pub deny_clients: BTreeSet<ClientId>,
}

/// A [`NewStaff`] whose fields are sound and whose password is hashed.
#[derive(Debug)]
pub struct CheckedStaff {
    name: String,
    email: String,
    password_hash: Option<SecretString>,
    role: Role,
    allow_clients: Option<BTreeSet<ClientId>>,
    deny_clients: BTreeSet<ClientId>,
}

impl NewStaff {
    /// Checks every field and hashes the password: done before the transaction begins, which would
    /// else hold up other writers meanwhile.
    pub async fn check(self, gate: &Gate) -> Result<CheckedStaff> {
        self.check_at("", Vec::new(), gate).await
    }

    /// As [`Self::check`], for fields that stand below `at` in the body and a body that has other
    /// problems too.
    pub(crate) async fn check_at(self, at: &str, mut problems: Vec<Problem>, gate: &Gate) -> Result<CheckedStaff> {
        let name = valid_name(&format!("{at}/name"), &self.name).map_err(|problem| problems.push(problem));
        let email = valid_email(&format!("{at}/email"), &self.email).map_err(|problem| problems.push(problem));
        let password = self.password.as_ref();
        problems.extend(password.and_then(|word| password_problem(&format!("{at}/password"), word, &self.email)));
        let (Ok(name), Ok(email), true) = (name, email, problems.is_empty()) else {
            return Err(Error::Invalid(problems));
        };
        let password_hash = match password {
            Some(password) => Some(gate.passwords.hash(password).await?),
            None => None,
        };
        let Self { role, allow_clients, deny_clients, .. } = self;
        Ok(CheckedStaff { name, email, password_hash, role, allow_clients, deny_clients })
    }
}

impl CheckedStaff {
    pub(crate) fn into_row(self, tx: &Tx) -> StaffRow {
        StaffRow {
            organisation: tx.organisation(),
            id: tx.new_id(),
            email: self.email,
            name: self.name,
            role: self.role,
            custom_role: None,
            password_hash: self.password_hash.map(|hash| hash.expose_secret().to_owned()),
            allow_clients: self.allow_clients,
            deny_clients: self.deny_clients,
            suspended_at: None,
            removed_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        }
    }
}

/// What to change about a staff user; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct StaffPatch {
    /// New name.
    pub name: Option<String>,
    /// New role, instead of one of the organisation's own too; their sessions end.
    pub role: Option<Role>,
    /// Clients they may see; `Some(None)` means all.
    pub allow_clients: Option<Option<BTreeSet<ClientId>>>,
    /// Clients they may not see.
    pub deny_clients: Option<BTreeSet<ClientId>>,
    /// Whether sign-in is refused; if so, their sessions end and their keys rest.
    pub suspended: Option<bool>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

/// The team by name.
pub async fn staff_list(tx: &Tx) -> Result<Vec<StaffRow>> {
    tx.context().require(Permission::TeamManage)?;
    tx.staff_list().await
}

/// Makes a staff user. The caller commits (`staff_create`). The conflict `email_taken` when the
/// team has the address already.
pub async fn staff_create(tx: &Tx, new: CheckedStaff) -> Result<StaffRow> {
    tx.context().require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let row = new.into_row(tx);
    require_over(tx.context(), &row)?;
    check_clients(tx, None, &row).await?;
    team::invitation_to_revoke(tx, &row.email).await?;
    tx.staff_insert(&row).await?;
    Ok(row)
}

/// Changes a staff user. The caller commits (`staff_update`). Someone suspended, or given another
/// role, is signed out everywhere in the same transaction.
pub async fn staff_update(tx: &Tx, id: StaffId, patch: StaffPatch) -> Result<StaffRow> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = team::member(tx, id).await?;
    require_over(context, &before)?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "staff user" });
    }
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))?;
    }
    if let Some(role) = patch.role {
        (after.role, after.custom_role) = (role, None);
    }
    after.allow_clients = patch.allow_clients.unwrap_or(after.allow_clients);
    after.deny_clients = patch.deny_clients.unwrap_or(after.deny_clients);
    match patch.suspended {
        Some(true) => after.suspended_at = before.suspended_at.or(Some(tx.now())),
        Some(false) => after.suspended_at = None,
        None => {}
    }
    require_over(context, &after)?;
    if after.scope() != before.scope() || after.role != before.role || after.custom_role != before.custom_role {
        check_clients(tx, Some(&before), &after).await?;
    }
    team::staff_write(tx, &before, after).await
}

/// Only those who have all that a staff user may do can do something to them, or make one: over owners, owners.
pub(crate) fn require_over(context: &Context, staff: &StaffRow) -> Result<()> {
    team::require_covers(context, staff.rights())
}

/// Checks the clients that a staff user is to see. Those already named may have been deleted since.
pub(crate) async fn check_clients(tx: &Tx, before: Option<&StaffRow>, row: &StaffRow) -> Result<()> {
    let named = |row: &StaffRow| row.allow_clients.iter().flatten().chain(&row.deny_clients).copied().collect();
    let old: BTreeSet<ClientId> = before.map(named).unwrap_or_default();
    let mut problems = Vec::new();
    for (at, list) in [("/allow_clients", row.allow_clients.as_ref()), ("/deny_clients", Some(&row.deny_clients))] {
        let new = list.into_iter().flatten().copied().filter(|client| !old.contains(client)).collect();
        problems.extend(client_problems(tx, at, &new).await?);
    }
    if row.role == Role::Owner && !row.scope().is_all() {
        problems.push(Problem::new("/allow_clients", "owner_sees_all", "must be empty: an owner sees every client"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// What is wrong with a list of clients: each must exist where the caller can see it.
pub(crate) async fn client_problems(tx: &Tx, at: &str, clients: &BTreeSet<ClientId>) -> Result<Vec<Problem>> {
    if clients.len() > MOST_CLIENTS {
        let message = format!("must name at most {MOST_CLIENTS} clients");
        return Ok(vec![Problem::new(at, "too_many", message)]);
    }
    let ids: Vec<ClientId> = clients.iter().copied().collect();
    let found: BTreeSet<ClientId> = tx.clients_by_id(&ids).await?.into_iter().map(|client| client.id).collect();
    let missing = ids.iter().filter(|id| !found.contains(id));
    Ok(missing.map(|id| Problem::new(at, "no_such_client", format!("there is no such client: {id}"))).collect())
}
