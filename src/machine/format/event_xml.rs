//! Parses the element `System` of the XML in which Windows describes an event.
//!
//! Source: Microsoft, "Event schema", `SystemPropertiesType`.

use jiff::Timestamp;
use quick_xml::{Reader, events::Event as Part};

use super::event::{Event, EventLevel};

/// Returns the event that the XML describes. Only the element `System` is read.
///
/// # Errors
///
/// Returns a description of what is missing or wrong in this element, as part of a sentence.
pub fn of_xml(xml: &str) -> Result<Event, String> {
    let malformed = |error: &dyn std::fmt::Display| format!("the XML of the event is malformed: {error}");
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found): (Vec<String>, System) = (Vec::new(), System::default());
    loop {
        let part = reader.read_event().map_err(|error| malformed(&error))?;
        match &part {
            Part::Start(element) | Part::Empty(element) => {
                path.push(String::from_utf8_lossy(element.local_name().as_ref()).into_owned());
                if let [_, system, name] = path.as_slice()
                    && system == "System"
                {
                    for attribute in element.attributes() {
                        let attribute = attribute.map_err(|error| malformed(&error))?;
                        let value = attribute.unescape_value().map_err(|error| malformed(&error))?;
                        found.attribute(name, attribute.key.local_name().as_ref(), &value);
                    }
                }
                if matches!(part, Part::Empty(_)) {
                    path.pop();
                }
            }
            Part::Text(text) => {
                if let [_, system, name] = path.as_slice()
                    && system == "System"
                {
                    let text = text.decode().map_err(|error| malformed(&error))?;
                    found.text(name, text.trim());
                }
            }
            // Nothing after the element `System` is needed.
            Part::End(_) if path.pop().is_some_and(|name| name == "System") => return found.event(),
            Part::Eof => return Err("the XML of the event has no element `System`".to_owned()),
            _ => {}
        }
    }
}

/// The content of the element `System` in the XML of an event.
#[derive(Default)]
struct System {
    source: Option<String>,
    old_source: Option<String>,
    id: String,
    level: String,
    time: String,
}

impl System {
    fn attribute(&mut self, element: &str, name: &[u8], value: &str) {
        match (element, name) {
            ("Provider", b"Name") => self.source = Some(value.to_owned()),
            ("Provider", b"EventSourceName") => self.old_source = Some(value.to_owned()),
            ("TimeCreated", b"SystemTime") => value.clone_into(&mut self.time),
            _ => {}
        }
    }

    fn text(&mut self, element: &str, text: &str) {
        match element {
            "EventID" => self.id.push_str(text),
            "Level" => self.level.push_str(text),
            _ => {}
        }
    }

    fn event(self) -> Result<Event, String> {
        let time = self.time.parse::<Timestamp>();
        Ok(Event {
            // The provider may have no name if a program without a manifest logged the event.
            source: self.source.unwrap_or_default(),
            old_source: self.old_source.filter(|name| !name.is_empty()),
            id: self.id.parse().map_err(|_| format!("the EventID `{}` is not a number", self.id))?,
            level: EventLevel::of_number(match self.level.as_str() {
                "" => 0,
                level => level.parse().map_err(|_| format!("the Level `{level}` is not a number from 0 to 255"))?,
            }),
            time: time.map_err(|_| format!("the SystemTime `{}` is not a time", self.time))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">
  <System>
    <Provider Name="Microsoft-Windows-Wininit" Guid="{206F6DEA-D3C5-4D10-BC72-989F03C8B84B}" EventSourceName="Wininit &amp; Co"/>
    <EventID Qualifiers="16384">13</EventID>
    <Level>4</Level>
    <TimeCreated SystemTime="2026-11-03T08:15:00.250000000Z"></TimeCreated>
    <Channel>System</Channel>
  </System>
  <EventData><Data>unclosed"#;

    #[test]
    fn what_is_asked_of_an_event_is_found_in_its_xml() {
        let event = of_xml(EVENT).unwrap();
        assert_eq!(event.source, "Microsoft-Windows-Wininit");
        assert_eq!(event.old_source.as_deref(), Some("Wininit & Co"));
        assert_eq!((event.id, event.level), (13, EventLevel::Information));
        assert_eq!(event.time.to_string(), "2026-11-03T08:15:00.25Z");
    }

    #[test]
    fn what_is_missing_is_named() {
        for (was, is, what) in [
            (">13<", "><", "the EventID `` is not a number"),
            ("SystemTime", "Time", "the SystemTime `` is not a time"),
            (">4<", ">high<", "the Level `high` is not a number from 0 to 255"),
            ("<System>", "<Sys>", "the XML of the event is malformed: "),
            ("&amp;", "&nothing;", "the XML of the event is malformed: "),
        ] {
            let error = of_xml(&EVENT.replace(was, is)).unwrap_err();
            assert!(error.starts_with(what), "{error}");
        }
        assert_eq!(of_xml("<Event/>").unwrap_err(), "the XML of the event has no element `System`");
        assert_eq!(of_xml(&EVENT.replace(">4<", "><")).unwrap().level, EventLevel::Information);
    }
}
