//! Which console has which sites, and which consoles report: what devices are attributed by. Asked anew at the
//! start of each listing, and remembered until its end.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use integration::{Error, Kind, Result};

use crate::{
    api::{Api, NAME},
    wire,
};

/// A console.
#[derive(Default)]
pub(crate) struct Console {
    pub name: Option<String>,
    /// Whether what it says is true now; unknown where it tells no state.
    pub reports: Option<bool>,
    /// Whether it is certain that it cannot be asked.
    offline: bool,
}

pub(crate) type Consoles = HashMap<String, Console>;

/// One of several sites of a console.
pub(crate) struct Shared {
    pub console: String,
    /// The internal name, which the console knows too.
    pub name: Option<String>,
}

/// Everything that devices are attributed by.
pub(crate) struct Estate {
    pub consoles: Consoles,
    /// The only site of each console that has just one.
    pub only: HashMap<String, String>,
    /// Sites of consoles with several, by their id.
    pub shared: BTreeMap<String, Shared>,
    /// What each such console said of its own sites, or why it did not.
    told: Mutex<HashMap<String, Arc<Told>>>,
}

/// The console's own ids of its sites by their internal names, or why they are not known.
pub(crate) type Told = Result<HashMap<String, String>, String>;

/// What is remembered between two pages of a listing.
#[derive(Default)]
pub(crate) struct Memory {
    consoles: Mutex<Option<Arc<Consoles>>>,
    estate: Mutex<Option<Arc<Estate>>>,
}

impl Memory {
    /// The consoles, for the names of their sites.
    pub(crate) async fn consoles(&self, api: &Api, anew: bool) -> Result<Arc<Consoles>> {
        let known = self.consoles.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(consoles) = known.filter(|_| !anew) {
            return Ok(consoles);
        }
        let consoles = Arc::new(consoles(api).await?);
        *self.consoles.lock().unwrap_or_else(PoisonError::into_inner) = Some(consoles.clone());
        Ok(consoles)
    }

    /// The estate, for the devices.
    pub(crate) async fn estate(&self, api: &Api, anew: bool) -> Result<Arc<Estate>> {
        let known = self.estate.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(estate) = known.filter(|_| !anew) {
            return Ok(estate);
        }
        let estate = Arc::new(Estate::of(consoles(api).await?, &api.list_all("sites").await?)?);
        *self.estate.lock().unwrap_or_else(PoisonError::into_inner) = Some(estate.clone());
        Ok(estate)
    }
}

async fn consoles(api: &Api) -> Result<Consoles> {
    let mut consoles = Consoles::new();
    for raw in api.list_all("hosts").await? {
        // One that cannot be read only leaves its sites without its name and its state.
        let Ok(host) = wire::read::<wire::Host>(&raw, "a console") else { continue };
        let Some(id) = host.id.0 else { continue };
        let state = host.reported_state.0.unwrap_or_default();
        let word = state.state.0.map(|word| word.to_ascii_lowercase());
        let blocked = host.is_blocked.0 == Some(true);
        let reports = if blocked { Some(false) } else { word.as_deref().map(|word| word == "connected") };
        let offline = matches!(word.as_deref(), Some("disconnected" | "offline"));
        consoles.insert(id, Console { name: state.name.0.or(state.hostname.0), reports, offline });
    }
    Ok(consoles)
}

impl Estate {
    fn of(consoles: Consoles, sites: &[Bytes]) -> Result<Self> {
        let mut of_console: HashMap<String, Vec<(String, Option<String>)>> = HashMap::new();
        for raw in sites {
            let site: wire::Site = wire::read(raw, "a site").map_err(|why| Error::unreadable(NAME, why))?;
            // One site too few would give its devices to another client.
            let (Some(id), Some(host)) = (site.site_id.0, site.host_id.0) else {
                return Err(Error::unreadable(NAME, "a site without its id or its console"));
            };
            of_console.entry(host).or_default().push((id, site.meta.0.unwrap_or_default().name.0));
        }
        let (mut only, mut shared) = (HashMap::new(), BTreeMap::new());
        for (console, mut sites) in of_console {
            if sites.len() == 1 {
                only.extend(sites.pop().map(|(id, _)| (console, id)));
                continue;
            }
            let of = |name| Shared { console: console.clone(), name };
            shared.extend(sites.into_iter().map(|(id, name)| (id, of(name))));
        }
        Ok(Self { consoles, only, shared, told: Mutex::default() })
    }

    /// This shared site, or the first one after it.
    pub(crate) fn at_or_after(&self, site: &str) -> Option<(&String, &Shared)> {
        self.shared.range::<str, _>((Bound::Included(site), Bound::Unbounded)).next()
    }

    /// The first shared site after this one.
    pub(crate) fn after(&self, site: &str) -> Option<&String> {
        self.shared.range::<str, _>((Bound::Excluded(site), Bound::Unbounded)).next().map(|(id, _)| id)
    }

    /// A console's name, for people.
    pub(crate) fn name_of(&self, console: &str) -> Option<&str> {
        self.consoles.get(console)?.name.as_deref()
    }

    /// What a console says of its sites: asked once.
    pub(crate) async fn told_by(&self, api: &Api, console: &str) -> Result<Arc<Told>> {
        let known = self.told.lock().unwrap_or_else(PoisonError::into_inner).get(console).cloned();
        if let Some(told) = known {
            return Ok(told);
        }
        let told = Arc::new(if self.consoles.get(console).is_some_and(|console| console.offline) {
            Err("it is offline".to_owned())
        } else {
            settled(api.sites_of(console).await)?
        });
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(console.to_owned(), told.clone());
        Ok(told)
    }
}

/// A failure that is the console's own becomes words; trouble on the way to it stays an error.
pub(crate) fn settled<T>(asked: Result<T>) -> Result<Result<T, String>> {
    match asked {
        Err(error) if error.kind == Kind::Throttled || error.kind == Kind::Expired => Err(error),
        // No answer at all, not even of Site Manager.
        Err(error) if error.kind == Kind::Unavailable && error.status.is_none() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
        Ok(value) => Ok(Ok(value)),
    }
}
