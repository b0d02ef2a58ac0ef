//! The event logs of an image: files on its drives.

use crate::targets::{Answer, EventFacts, EventQuery, TargetError, events};

use super::ImageTarget;

impl ImageTarget {
    /// Answers questions about events.
    pub(super) fn events(&mut self, queries: &[EventQuery]) -> Result<Vec<Answer<EventFacts>>, TargetError> {
        let system_root = self.system_root()?;
        let (registry, volume) = (&mut self.registry, &mut self.volume);
        events::answers(queries, |log| {
            let place = match events::place(|query| registry.read(query), log, &system_root)? {
                Ok(place) => place,
                Err(why) => return Ok(Answer::Unread(why)),
            };
            for path in &place.paths {
                match volume.open_file(path, &system_root) {
                    Answer::Absent => {}
                    found => return Ok(found),
                }
            }
            Ok(place.nowhere())
        })
    }
}
