//! What is printed when all is ready.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

use crate::{
    folder::State,
    house::House,
    job::{Tour, search},
};

/// What the user of a demo needs to know.
pub struct Welcome {
    /// Address of the API, without a slash at the end.
    pub api: String,
    /// The owner's address.
    pub email: String,
    /// The owner's password.
    pub password: String,
    /// An API key with all the owner's rights.
    pub api_key: String,
    /// What connects each vendor: its id and its credentials.
    pub vendors: Vec<(&'static str, Map<String, Value>)>,
    folder: String,
    world: String,
    tour: Option<Tour>,
}

impl Welcome {
    /// The welcome to a house.
    pub(crate) fn new(house: &House, state: &State, tour: Option<Tour>) -> Self {
        Self {
            api: house.api.clone(),
            email: state.email.clone(),
            password: state.password.clone(),
            api_key: state.api_key.clone().unwrap_or_default(),
            vendors: house.vendors.clone(),
            folder: house.folder.path().display().to_string(),
            world: format!("{} clients, {} devices, {} people", state.businesses, state.devices, state.users),
            tour,
        }
    }

    /// The same for machines.
    pub fn json(&self) -> Value {
        let vendors: Map<String, Value> =
            self.vendors.iter().map(|(vendor, credentials)| ((*vendor).to_owned(), json!(credentials))).collect();
        json!({
            "api": self.api,
            "docs": format!("{}/docs", self.api),
            "email": self.email,
            "password": self.password,
            "api_key": self.api_key,
            "vendors": vendors,
        })
    }

    /// Things to try: words and a line for the shell.
    pub fn lines(&self) -> Vec<(String, String)> {
        match &self.tour {
            Some(tour) => self.main_job(tour),
            None => self.first_steps(),
        }
    }

    fn main_job(&self, tour: &Tour) -> Vec<(String, String)> {
        let Tour { client, name, word, subscription } = tour;
        let mut lines = vec![
            (format!("Clients with \"{word}\" in their names"), self.get(&search(word))),
            (format!("The overview of {name}"), self.get(&format!("/api/clients/{client}"))),
            ("Its devices".to_owned(), self.get(&format!("/api/clients/{client}/devices?limit=5"))),
            ("Its Microsoft 365".to_owned(), self.get(&format!("/api/clients/{client}/microsoft365"))),
        ];
        lines.push(match subscription {
            Some((id, product, quantity)) => (
                format!("Change the quantity of its {product} from {quantity} to {}", quantity + 1),
                self.post(
                    &format!("/api/clients/{client}/subscriptions/{id}/quantity"),
                    &json!({ "quantity": quantity + 1 }),
                ),
            ),
            None => ("Its subscriptions".to_owned(), self.get(&format!("/api/clients/{client}/subscriptions"))),
        });
        lines
    }

    fn first_steps(&self) -> Vec<(String, String)> {
        let connect = self.vendors.iter().map(|(vendor, credentials)| {
            let name = registry::find(vendor).map_or(*vendor, |entry| entry.name);
            let body = json!({ "integration": vendor, "credentials": credentials });
            (format!("Connect {name}"), self.post("/api/connections", &body))
        });
        let mut lines: Vec<_> = connect.collect();
        lines.insert(0, ("The vendors that can be connected".to_owned(), self.get("/api/integrations")));
        lines.push(("What was synced".to_owned(), self.get("/api/runs")));
        lines
    }

    fn get(&self, path: &str) -> String {
        format!("curl -s -H 'Authorization: Bearer {}' '{}{path}'", self.api_key, self.api)
    }

    fn post(&self, path: &str, body: &Value) -> String {
        let body = body.to_string().replace('\'', r"'\''");
        format!(
            "curl -s -X POST -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{body}' '{}{path}'",
            self.api_key, self.api
        )
    }
}

impl fmt::Display for Welcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api, email, password, api_key, folder, world, .. } = self;
        let mut lines = String::new();
        for (words, line) in self.lines() {
            write!(lines, "\n{words}:\n{line}\n")?;
        }
        writeln!(
            f,
            "
PanelOne is ready. The MSP is invented ({world}), its vendors are simulated on this machine.

  API            {api}
  Documentation  {api}/docs
  Sign in        POST {api}/api/session
    e-mail       {email}
    password     {password}
  API key        {api_key}
                 (all the owner's rights; kept with the password in {folder}/demo.json,
                 readable by you only: good for a demo, not for real data)
{lines}
Ctrl-C stops it. The same command goes on with this data; --reset begins anew."
        )
    }
}
