//! Synergy Wholesale, simulated over the shared world: one address that takes SOAP calls, and answers most errors
//! with status 200 and a word in the body. Its answers hold what no connector may keep: transfer codes and passwords.

mod rows;

use std::{fmt::Write as _, sync::PoisonError};

use integration::{Body, Method, RecordKind, Request, Response, Vendor};
use quick_xml::escape::escape;
use serde_json::{Map, Value};
use vendorkit::{SharedWorld, World};

use crate::{
    SynergyWholesale,
    xml::{self, Node},
};

const RESELLER: &str = "40017";
const POWERLESS: &str = "40018";
const KEY: &str = "synergy & sons <simulated> key";

/// The vendor, simulated.
#[derive(Default)]
pub struct Simulator;

/// A word of the vendor's with its explanation, or a fault.
enum No {
    Status(&'static str, &'static str),
    Fault(&'static str),
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        SynergyWholesale::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = match route(&world, request) {
            Ok((command, inner)) => (200, answer(&command, &inner)),
            Err((command, No::Status(code, words))) => {
                let inner = format!("{}{}", text("status", code), text("errorMessage", words));
                (200, answer(&command, &inner))
            }
            Err((_, No::Fault(words))) => {
                let code = "<faultcode>SOAP-ENV:Client</faultcode>";
                let fault = format!("{code}<faultstring>{}</faultstring>", escape(words));
                (500, envelope(&format!("<SOAP-ENV:Fault>{fault}</SOAP-ENV:Fault>")))
            }
        };
        let headers = vec![("content-type".to_owned(), "text/xml; charset=utf-8".to_owned())];
        Response { status, headers, body: body.into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, RESELLER, KEY)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, RESELLER, "synergy-simulated-mistake")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, POWERLESS, KEY)
    }

    /// A key has no end.
    fn expire_tokens(&self) {}

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let known = world.known_to(SynergyWholesale::ID).count();
        match kind {
            // And the one for what has none.
            RecordKind::Entity => Some(known + usize::from(known > 0)),
            RecordKind::Domain => Some(rows::domains(world).iter().filter(|row| !row.lost).count()),
            RecordKind::Hosting => Some(rows::hostings(world).len()),
            _ => world.expected(SynergyWholesale::ID, kind),
        }
    }

    fn unpaged(&self, kind: RecordKind) -> bool {
        kind == RecordKind::Entity
    }
}

type Answer<T> = Result<T, (String, No)>;

/// The command, and what is in its `return`.
fn route(world: &World, request: &Request) -> Answer<(String, String)> {
    let (command, params) = call(request).map_err(|words| ("unknown".to_owned(), No::Fault(words)))?;
    let inner = run(world, &command, &params).map_err(|no| (command.clone(), no))?;
    Ok((command, inner))
}

fn run(world: &World, command: &str, params: &Map<String, Value>) -> Result<String, No> {
    let param = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let known = ["balanceQuery", "listDomainCategories", "listDomains", "listHosting"].contains(&command);
    if !known {
        return Err(No::Fault("Procedure is not present"));
    }
    match (param("resellerID"), param("apiKey")) {
        ("", _) | (_, "") => return Err(No::Status("ERR_RESELLER_AUTH_FAILED", "resellerID or apiKey is missing")),
        (RESELLER, KEY) => {}
        (POWERLESS, KEY) => return Err(No::Status("ERR_RESELLER_NOT_AUTHORISED", "Not authorised for this command")),
        _ => return Err(No::Status("ERR_LOGIN_FAILED", "Unable to login to wholesale system")),
    }
    match command {
        "balanceQuery" => Ok(format!("{}{}", text("status", "OK"), text("balance", "802.25"))),
        "listDomainCategories" => Ok(rows::categories(world)),
        "listDomains" => page(&rows::domains(world), params, 500, "domainList", rows::Domain::xml),
        _ => page(&rows::hostings(world), params, 1000, "hoidList", rows::Hosting::xml),
    }
}

/// One page of a listing: `page` from 1, `limit` at most what the vendor gives. An empty page has no list at all.
fn page<T>(
    all: &[T],
    params: &Map<String, Value>,
    most: usize,
    list: &str,
    xml: impl Fn(&T) -> String,
) -> Result<String, No> {
    let number = |name: &str, usual: usize| match params.get(name).and_then(Value::as_str) {
        None => Ok(usual),
        Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or(No::Status("ERR_VAR_INVALID", "A number")),
    };
    let (number, limit) = (number("page", 1)?, number("limit", most)?.min(most));
    let rows: Vec<String> = all.iter().skip((number - 1) * limit).take(limit).map(xml).collect();
    let mut inner = text("status", "OK");
    if !rows.is_empty() {
        let _ = write!(inner, "<{list} xsi:type=\"SOAP-ENC:Array\">{}</{list}>", rows.concat());
    }
    Ok(inner + &text("page", &number.to_string()) + &text("limit", &limit.to_string()))
}

/// What a call asks: its command and its parameters. Anything but one map in one element is refused.
fn call(request: &Request) -> Result<(String, Map<String, Value>), &'static str> {
    let Body::Xml(document) = &request.body else { return Err("Bad Request. Not XML") };
    if request.method != Method::Post || request.url.query().is_some() {
        return Err("Bad Request. Not a call");
    }
    let envelope = xml::parse(document.as_bytes()).map_err(|_| "Bad Request. Not well formed")?;
    let namespaces = ["http://schemas.xmlsoap.org/soap/envelope/", "http://xml.apache.org/xml-soap"];
    let typed = document.contains("<param xsi:type=\"ns2:Map\">");
    let body = Some(&envelope).filter(|envelope| envelope.name == "Envelope").and_then(|e| e.child("Body"));
    let (Some(body), true, true) = (body, typed, namespaces.iter().all(|uri| document.contains(uri))) else {
        return Err("Bad Request. Not a SOAP 1.1 call with a map");
    };
    let [command] = &body.children[..] else { return Err("Bad Request. Not one command") };
    let [map] = &command.children[..] else { return Err("Bad Request. Not one parameter") };
    let pair = |item: &Node| match &item.children[..] {
        [key, value] if item.name == "item" && key.name == "key" && value.name == "value" => {
            Some((key.text.clone(), value.text.clone().into()))
        }
        _ => None,
    };
    let params = map.children.iter().map(pair).collect::<Option<_>>().ok_or("Bad Request. Not a map")?;
    Ok((command.name.clone(), params))
}

fn answer(command: &str, inner: &str) -> String {
    envelope(&format!(
        "<ns1:{command}Response xmlns:ns1=\"http://api.synergywholesale.com\"><return xsi:type=\"tns:{command}Response\">\
         {inner}</return></ns1:{command}Response>"
    ))
}

fn envelope(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope \
         xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:SOAP-ENC=\"http://schemas.xmlsoap.org/soap/encoding/\" xmlns:tns=\"urn:WholesaleSystem\">\
         <SOAP-ENV:Body>{inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
}

/// A text element.
fn text(name: &str, value: &str) -> String {
    format!("<{name} xsi:type=\"xsd:string\">{}</{name}>", escape(value))
}

fn form(base: &str, reseller: &str, key: &str) -> Map<String, Value> {
    let fields = [("reseller_id", reseller), ("api_key", key), ("api_url", base)];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
