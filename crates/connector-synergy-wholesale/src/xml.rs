//! An XML answer as a small tree, within bounds. Names lose their prefixes, and an attribute counts only where it
//! says that there is no value.
//!
//! No entity is ever expanded except the five of XML itself and numbers of characters, and a document type is
//! refused outright: a vendor's answer needs neither, and both are how small documents become huge ones.

use integration::{Error, Kind, Result, Retry, Vendor};
use quick_xml::{
    Error as XmlError, Reader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use crate::SynergyWholesale;

const NAME: &str = SynergyWholesale::NAME;

/// Bytes of an answer: several times those of a page of 500 domains with all their contacts.
pub(crate) const LONGEST: usize = 16 << 20;
/// Elements within elements. The vendor's own answers have nine.
pub(crate) const DEEPEST: usize = 32;
/// Elements of an answer.
pub(crate) const MOST: usize = 400_000;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Name without its prefix.
    pub name: String,
    /// Its text, without that of its children.
    pub text: String,
    /// Whether it says that it has no value.
    pub nil: bool,
    /// Elements in it, in order.
    pub children: Vec<Node>,
}

impl Node {
    /// The first element of this name in it.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first element of this name, if it says something.
    pub fn said(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    fn of(tag: &BytesStart<'_>) -> Self {
        let mut attributes = tag.attributes();
        // Looking for one attribute needs no check that none comes twice, which is slow for many.
        attributes.with_checks(false);
        let nil = attributes.flatten().any(|attribute| {
            attribute.key.local_name().as_ref() == "nil" && matches!(attribute.value.trim(), "true" | "1")
        });
        Self { name: tag.local_name().as_ref().to_owned(), nil, ..Self::default() }
    }
}

/// Reads a document.
pub(crate) fn parse(body: &[u8]) -> Result<Node> {
    if body.len() > LONGEST {
        return Err(limit("longer", LONGEST, "bytes"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Error::unreadable(NAME, "it is not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let mut tree = Tree::default();
    loop {
        let at = reader.buffer_position();
        match reader.read_event() {
            Ok(Event::Start(tag)) => tree.open(Node::of(&tag))?,
            Ok(Event::Empty(tag)) => {
                tree.open(Node::of(&tag))?;
                tree.close()?;
            }
            Ok(Event::End(_)) => tree.close()?,
            Ok(Event::Text(text)) => tree.say(&text.xml10_content())?,
            Ok(Event::CData(text)) => tree.say(&text.xml10_content())?,
            Ok(Event::GeneralRef(entity)) => match entity.resolve_char_ref() {
                Ok(Some(letter)) => tree.say(letter.encode_utf8(&mut [0; 4]))?,
                Ok(None) if resolve_predefined_entity(&entity).is_some() => {
                    tree.say(resolve_predefined_entity(&entity).unwrap_or_default())?;
                }
                _ => return Err(Error::unreadable(NAME, format!("an entity that is not XML's own at byte {at}"))),
            },
            Ok(Event::DocType(_)) => return Err(Error::unreadable(NAME, "it declares a document type")),
            Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_)) => {}
            Ok(Event::Eof) => return tree.finish(),
            // What breaks off within a tag ends in the same place as the body.
            Err(XmlError::Syntax(_)) => return Err(broken_off()),
            Err(_) => return Err(Error::unreadable(NAME, format!("it is not XML at byte {at}"))),
        }
    }
}

#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Node>,
    count: usize,
}

impl Tree {
    fn open(&mut self, node: Node) -> Result<()> {
        self.count += 1;
        if self.open.len() >= DEEPEST {
            return Err(limit("deeper", DEEPEST, "elements"));
        }
        if self.count > MOST {
            return Err(limit("longer", MOST, "elements"));
        }
        if self.root.is_some() {
            return Err(Error::unreadable(NAME, "it is more than one document"));
        }
        self.open.push(node);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let node = self.open.pop().ok_or_else(|| Error::unreadable(NAME, "an end without its beginning"))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }

    fn say(&mut self, text: &str) -> Result<()> {
        match self.open.last_mut() {
            Some(node) => node.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(Error::unreadable(NAME, "it is not XML")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Node> {
        self.root.filter(|_| self.open.is_empty()).ok_or_else(broken_off)
    }
}

fn broken_off() -> Error {
    Error::unreadable(NAME, "it breaks off").retry(Retry::Yes)
}

fn limit(how: &str, most: usize, of: &str) -> Error {
    Error::new(Kind::Limit, format!("the answer of {NAME} is {how} than {most} {of}"))
}
