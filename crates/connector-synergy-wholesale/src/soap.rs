//! SOAP 1.1 as the vendor speaks it: a call is an element that holds one map, an answer an element that holds
//! `return`.

use std::io;

use integration::{Error, Result, Vendor};
use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{SynergyWholesale, xml::Node};

/// A value in a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Text(&'a str),
    Number(u32),
}

/// The document that calls `command` with these parameters, in this order. The writer escapes every value.
pub(crate) fn call(command: &str, params: &[(&str, Param<'_>)]) -> String {
    let document = write(command, params).expect("memory takes whatever is written to it");
    String::from_utf8(document).expect("the writer was given nothing but texts")
}

fn write(command: &str, params: &[(&str, Param<'_>)]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let envelope = writer.create_element("SOAP-ENV:Envelope").with_attributes([
        ("xmlns:SOAP-ENV", "http://schemas.xmlsoap.org/soap/envelope/"),
        ("xmlns:ns1", "http://api.synergywholesale.com"),
        ("xmlns:ns2", "http://xml.apache.org/xml-soap"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
    ]);
    envelope.write_inner_content(|writer| {
        writer.create_element("SOAP-ENV:Body").write_inner_content(|writer| {
            writer.create_element(format!("ns1:{command}")).write_inner_content(|writer| {
                let map = writer.create_element("param").with_attribute(("xsi:type", "ns2:Map"));
                map.write_inner_content(|writer| params.iter().try_for_each(|(key, value)| pair(writer, key, *value)))?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(writer.into_inner())
}

fn pair(writer: &mut Writer<Vec<u8>>, key: &str, value: Param<'_>) -> io::Result<()> {
    let (kind, text) = match value {
        Param::Text(text) => ("xsd:string", text.to_owned()),
        Param::Number(number) => ("xsd:int", number.to_string()),
    };
    writer.create_element("item").write_inner_content(|writer| {
        let name = writer.create_element("key").with_attribute(("xsi:type", "xsd:string"));
        name.write_text_content(BytesText::new(key))?;
        let value = writer.create_element("value").with_attribute(("xsi:type", kind));
        value.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// A fault: whose it is ("Client", "Server") and what it says.
pub(crate) fn fault(document: &Node) -> Option<(&str, &str)> {
    let fault = document.child("Body")?.child("Fault")?;
    let code = fault.said("faultcode").unwrap_or_default();
    let whose = code.rsplit(':').next().unwrap_or_default().split('.').next().unwrap_or_default();
    Some((whose, fault.said("faultstring").unwrap_or(code)))
}

/// What the answer to `command` returns.
pub(crate) fn answer(document: Node, command: &str) -> Result<Node> {
    let wanted = format!("{command}Response");
    if document.name != "Envelope" {
        return Err(Error::unreadable(SynergyWholesale::NAME, "it is not SOAP"));
    }
    take(document, "Body").and_then(|body| take(body, &wanted)).and_then(|answer| take(answer, "return")).ok_or_else(
        || Error::unreadable(SynergyWholesale::NAME, format!("it is not the answer to {command}, which was asked")),
    )
}

fn take(node: Node, name: &str) -> Option<Node> {
    node.children.into_iter().find(|child| child.name == name)
}
