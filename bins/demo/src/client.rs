//! Calls the API over HTTP, as anyone would.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use domain::{Clock, SystemClock};
use integration::{Method, Request, Response, Transport};
use serde_json::Value;
use transport::{AddressPolicy, HttpTransport, Limits};
use url::Url;

/// A caller of the API.
pub struct Client {
    http: HttpTransport,
    base: Url,
    credential: Option<(&'static str, String)>,
}

impl Client {
    /// A caller that is nobody yet, of the API at this address.
    pub fn new(api: &str) -> Result<Self> {
        let base = Url::parse(api)?;
        let policy = AddressPolicy::allowing([api.trim_start_matches("http://")])?;
        let http = HttpTransport::new(policy, Limits::default(), Arc::new(|| SystemClock.now()))?;
        Ok(Self { http, base, credential: None })
    }

    /// A caller of another server on the loopback (`127.0.0.1:4100`), who shows it nothing.
    pub fn elsewhere(address: &str) -> Result<Self> {
        Self::new(&format!("http://{address}"))
    }

    /// Opens an address as a browser would, with the session if there is one; redirects are not followed.
    pub async fn visit(&self, address: &str) -> Result<Response> {
        self.send(Method::Get, address, None).await
    }

    /// From now on it calls with this API key.
    pub fn use_key(&mut self, key: &str) {
        self.credential = Some(("authorization", format!("Bearer {key}")));
    }

    /// Signs in: from now on it calls with this session.
    pub async fn sign_in(&mut self, email: &str, password: &str) -> Result<()> {
        let body = serde_json::json!({ "email": email, "password": password });
        let answer = self.send(Method::Post, "/api/session", Some(body)).await?;
        sound(&answer, "POST", "/api/session")?;
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("signing in gave no cookie")?.to_owned();
        self.credential = Some(("cookie", cookie));
        Ok(())
    }

    /// Whether the API knows this caller.
    pub async fn is_known(&self) -> Result<bool> {
        let answer = self.send(Method::Get, "/api/me", None).await?;
        if answer.status == 401 {
            return Ok(false);
        }
        sound(&answer, "GET", "/api/me").map(|_| true)
    }

    /// A GET; path and query as they stand in the address.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::Get, path, None).await
    }

    /// A POST with a body.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.call(Method::Post, path, Some(body)).await
    }

    /// Any call; an answer that is not good is an error in the API's words.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        sound(&self.send(method, path, body).await?, method.as_str(), path)
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response> {
        let mut request = Request::new(method, self.base.join(path)?);
        if let Some((name, value)) = &self.credential {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.http.send(request).await.with_context(|| format!("{} {path}", method.as_str()))
    }
}

/// The body of a good answer.
fn sound(answer: &Response, method: &str, path: &str) -> Result<Value> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return Ok(body);
    }
    let path = path.split('?').next().unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or("no reason was given");
    let mistakes = body["errors"].as_array().into_iter().flatten();
    let mistakes: Vec<String> =
        mistakes.map(|m| format!("; {} {}", text(&m["pointer"]), text(&m["message"]))).collect();
    bail!("{method} {path} answered {}: {detail}{}", answer.status, mistakes.concat())
}

/// A text of an answer, empty when it is not there.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
