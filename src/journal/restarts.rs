//! Finds the restarts that an undo needs: those of the specs that made the changes which it undoes.

use std::collections::HashSet;

use super::{Header, Operation};
use crate::{
    plan::Restart,
    registry::{Key, ValueName},
    spec::document::ComputerRestart,
    targets::{ChangeAction, KeyChange},
};

/// The note of [`Restart`] if the journal of an apply does not record which of its specs needs which restart.
const NOT_EXACT: &str = "a journal of an earlier kbfix does not record which spec needs which restart, so these are \
                         the restarts of all specs of that apply";

/// A key, and the name of a value in it; `None` means the key itself.
type Place<'a> = (&'a Key, Option<&'a ValueName>);

/// The changes of one spec in a journal, and the restarts that they need. If the journal does not separate its specs,
/// the changes of all its specs.
#[derive(Debug)]
pub(super) struct Part {
    /// The changed keys and values; `None` means the key itself.
    places: Vec<(Key, Option<ValueName>)>,
    restart: Restart,
    /// Whether the changes need exactly `restart`. If false, `restart` contains the restarts of all specs of the
    /// journal, because the journal does not record which spec needs which restart.
    is_exact: bool,
}

impl Part {
    /// Returns the parts of a journal: one for each spec, or a single one if the journal does not separate its specs.
    pub(super) fn of(header: &Header) -> Vec<Self> {
        let part = |changes: &[KeyChange], restart: &Restart, is_exact| Self {
            places: places(changes).map(|(key, name)| (key.clone(), name.cloned())).collect(),
            restart: restart.clone(),
            is_exact,
        };
        let counted = header.by_spec.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
        if counted != Some(header.changes.len()) || header.by_spec.len() != header.restarts.len() {
            let is_one = header.specs.len() == 1 || header.action != Operation::Apply;
            let needs_none = header.restart.computer == ComputerRestart::Never && header.restart.services.is_empty();
            return vec![part(&header.changes, &header.restart, is_one || needs_none)];
        }
        let mut rest = header.changes.as_slice();
        let each = header.by_spec.iter().zip(&header.restarts).filter_map(|(count, restart)| {
            let (changes, others) = rest.split_at_checked(*count)?;
            rest = others;
            Some(part(changes, restart, true))
        });
        each.collect()
    }

    /// Returns the combined restarts of those parts that changed a key or value which the changes `undone` change
    /// again.
    pub(super) fn restart<'a>(parts: impl IntoIterator<Item = &'a Self>, undone: &[KeyChange]) -> Restart {
        let undone: HashSet<Place<'_>> = places(undone).collect();
        let is_undone = |part: &&Self| part.places.iter().any(|(key, name)| undone.contains(&(key, name.as_ref())));
        let parts: Vec<&Self> = parts.into_iter().filter(is_undone).collect();
        let mut restart = Restart::together(parts.iter().map(|part| &part.restart));
        if let [part] = parts.as_slice() {
            restart.note.clone_from(&part.restart.note);
        }
        if parts.iter().any(|part| !part.is_exact) {
            restart.note = Some(NOT_EXACT.to_owned());
        }
        restart
    }
}

/// Returns the keys that the changes create or delete, and the values that they change.
fn places(changes: &[KeyChange]) -> impl Iterator<Item = Place<'_>> {
    changes.iter().flat_map(|change| {
        let key = (change.action != ChangeAction::Update).then_some((&change.key, None));
        key.into_iter().chain(change.values.iter().map(|value| (&change.key, Some(&value.name))))
    })
}

/// Returns the restarts that the changes `undone` need. These changes undo the changes of this journal, or a part of
/// them.
pub fn restart_of(header: &Header, undone: &[KeyChange]) -> Restart {
    Part::restart(&Part::of(header), undone)
}
