//! Answers queries about the events of an image from the files of its event logs.

use crate::targets::{Answer, EventFacts, EventQuery, TargetError, events};

use super::ImageTarget;

impl ImageTarget {
    /// Answers each query about events, in the same order.
    pub(super) fn events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        let system_root = self.system_root()?;
        let (registry, volume) = (&mut self.registry, &mut self.volume);
        events::answers(queries, |asked| {
            let place = match events::place(|query| registry.read(query), &asked[0].log, &system_root)? {
                Ok(place) => place,
                Err(why) => return Ok(Answer::Unread(why)),
            };
            for path in &place.paths {
                match volume.open_file(path, &system_root) {
                    Answer::Present(file) => return Ok(events::facts(file, asked)),
                    Answer::Absent => {}
                    Answer::Unread(why) => return Ok(Answer::Unread(why)),
                }
            }
            Ok(place.nowhere())
        })
    }
}
