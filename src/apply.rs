//! Apply: journal, write, read back; and undo when something fails.
//!
//! The caller holds the target's lock and has made the plan under it. The journal is complete on disk before the first
//! write; after the last, everything is read back and compared; on any failure what was written is undone, by the same code
//! that a later rollback uses.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::{
    diag::number_of,
    journal::{self, Entry, Folder, FolderError, Journal, What},
    observe::{Reader, observe, observe_again},
    plan::{Machine, Plan, Restart},
    registry::{Data, Key, KeyProperties, ValueName, notation},
    spec::Spec,
    targets::{Action, Address, Answer, KeyChange, Moved, Reason, Target, TargetError, Unread, WriteFailure},
};

/// What came of carrying out changes.
#[derive(Debug)]
pub enum Execution {
    /// There was nothing to do; nothing was written, and there is no journal.
    Nothing,
    /// All changes were made, and read back.
    Done(Journal),
    /// Writing failed, and everything is as it was before.
    Undone(Journal, Failure),
    /// Writing failed, and not everything could be put back.
    Incomplete(Journal, Failure, Vec<String>),
}

/// Why changes could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A write was refused or failed.
    #[error(transparent)]
    Write(#[from] WriteFailure),
    /// Everything was written, but reads back differently. The text names each place.
    #[error("what was written does not read back: {}", .0.join("; "))]
    ReadBack(Vec<String>),
    /// The target could not be read after writing.
    #[error("after writing, {0}")]
    Read(#[from] TargetError),
}

/// Why nothing was started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be written.
    #[error("the journal could not be written: {0}")]
    Journal(#[from] FolderError),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// What a journal says of the changes beside themselves.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// What is being done.
    pub action: journal::Action,
    /// The target as the user named it.
    pub target: Address,
    /// The machine that it is.
    pub machine: Machine,
    /// The ids of the specs.
    pub specs: Vec<String>,
    /// The digest of the plan.
    pub plan: String,
    /// What has to be restarted.
    pub restart: Restart,
}

/// Reads what the specs ask for, and makes the plan.
///
/// # Errors
/// When the target as a whole cannot be read.
pub fn make_plan(target: &mut dyn Target, specs: &[Spec]) -> Result<Plan, TargetError> {
    let uri = target.uri();
    let facts = observe(target, |reader| {
        crate::plan::build(&uri, specs, &Default::default(), reader);
    })?;
    let reader = Reader::new(&facts);
    Ok(crate::plan::build(&uri, specs, &facts, &reader))
}

/// Why a saved plan is not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PlanRefusal {
    /// It was made for another machine.
    #[error("the plan is for {}, and this is {}", .wanted, .found)]
    OtherMachine {
        /// The machine of the plan.
        wanted: String,
        /// The machine of the target.
        found: String,
    },
    /// Something that it rests on is no longer so.
    #[error("the plan is stale: {} that it rests on moved", number_of(.0.len(), "fact"))]
    Stale(Vec<Moved>),
    /// The target could not be read.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// How a saved plan that may be carried out stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// All that it rests on is as it was.
    Holds,
    /// Every change of it was made already, and all else that it rests on is as it was.
    CarriedOut,
}

/// Holds a saved plan against the target as it is now.
///
/// # Errors
/// [`PlanRefusal`]
pub fn check_plan(plan: &Plan, target: &mut dyn Target) -> Result<Standing, PlanRefusal> {
    let renamed = same_machine(&plan.machine, &plan.target, target)?;
    let moved = plan.facts.moved(&observe_again(target, &plan.facts)?);
    if moved.is_empty() {
        return Ok(Standing::Holds);
    }
    // Whether a package was installed cannot be seen from the facts alone.
    let registry_only = plan.specs.iter().all(|spec| spec.install.is_none());
    let mut after = plan.facts.clone();
    plan.changes().for_each(|change| after.apply(change));
    // The questions are others: of a key that was absent and is there now, nothing was asked when the plan was made.
    if registry_only && after.moved(&observe_again(target, &after)?).is_empty() {
        return Ok(Standing::CarriedOut);
    }
    match renamed {
        // Unless by the plan itself, whoever renamed it may have made another machine of it; a plan is soon made anew.
        Some(Renamed { was, is }) => Err(PlanRefusal::OtherMachine { wanted: was, found: is }),
        None => Err(PlanRefusal::Stale(moved)),
    }
}

/// A machine that has another name than it had, and the same MachineGuid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its name in the plan or journal, with the MachineGuid.
    pub was: String,
    /// Its name now, with the MachineGuid.
    pub is: String,
}

/// Refuses a plan or journal of another machine. Where both are known, the MachineGuid decides: a computer can be renamed, and keeps
/// it. But a disk image that is copied without sysprep takes it along, so the caller is told of another name. Where neither computer
/// name nor MachineGuid is known, the target's URI has to be the same.
///
/// # Errors
/// [`PlanRefusal::OtherMachine`], or that the target cannot be read.
pub fn same_machine(
    wanted: &Machine,
    wanted_uri: &str,
    target: &mut dyn Target,
) -> Result<Option<Renamed>, PlanRefusal> {
    let mut found = Machine::default();
    observe(target, |reader| found = crate::plan::machine(reader))?;
    let same = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        (Some(_), None) => false,
        (None, _) => true,
    };
    let same_guid = same(&wanted.machine_guid, &found.machine_guid);
    let same_name = same(&wanted.computer_name, &found.computer_name);
    let unknown = wanted.computer_name.is_none() && wanted.machine_guid.is_none();
    if same_guid && same_name && (!unknown || wanted_uri == target.uri()) {
        return Ok(None);
    }
    let name = |machine: &Machine, uri: &str| match (&machine.computer_name, &machine.machine_guid) {
        (Some(name), Some(guid)) => format!("{name} ({guid})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("a machine without a known name, {uri}"),
    };
    let (wanted_name, found_name) = (name(wanted, wanted_uri), name(&found, &target.uri()));
    if same_guid && wanted.machine_guid.is_some() && found.computer_name.is_some() {
        return Ok(Some(Renamed { was: wanted_name, is: found_name }));
    }
    Err(PlanRefusal::OtherMachine { wanted: wanted_name, found: found_name })
}

/// Makes the changes.
///
/// # Errors
/// [`StartError`] where nothing was changed, since the journal could not be written.
pub fn execute(
    changes: Vec<KeyChange>,
    occasion: Occasion,
    target: &mut dyn Target,
    folder: &Folder,
) -> Result<Execution, StartError> {
    if changes.is_empty() {
        return Ok(Execution::Nothing);
    }
    let mut journal = folder.begin(Entry {
        kbfix_journal: 1,
        // The folder gives it one.
        id: String::new(),
        made: journal::now(),
        action: occasion.action,
        target: occasion.target,
        machine: occasion.machine,
        specs: occasion.specs,
        plan: occasion.plan,
        restart: occasion.restart,
        changes,
    })?;
    let changes = &journal.entry.changes;
    let failure = match target.write(changes).map_err(Failure::from).and_then(|()| read_back(changes, target)) {
        Ok(()) => {
            // That the apply ended well can also be seen on the target; a journal that cannot say so is no failure.
            let _ = journal.add(What::Done, None);
            return Ok(Execution::Done(journal));
        }
        Err(failure) => failure,
    };
    let begun = match &failure {
        Failure::Write(failure) => &failure.begun,
        Failure::ReadBack(_) | Failure::Read(_) => changes,
    };
    let left = undo(begun, target);
    let (event, detail) = match left.is_empty() {
        true => (What::Undone, failure.to_string()),
        false => (What::Failed, format!("{failure}; not put back: {}", left.join("; "))),
    };
    let _ = journal.add(event, Some(detail));
    Ok(if left.is_empty() {
        Execution::Undone(journal, failure)
    } else {
        Execution::Incomplete(journal, failure, left)
    })
}

/// Puts back what this apply wrote; returns what could not be. What is neither as before nor as this apply writes it was
/// written by somebody else, whom kbfix' lock does not bind, and is kept.
fn undo(changes: &[KeyChange], target: &mut dyn Target) -> Vec<String> {
    let mut inverse = journal::Inverse::default();
    if let Err(why) = observe(target, |reader| inverse = journal::inverse(changes, false, reader)) {
        return vec![why.to_string()];
    }
    let mut left: Vec<String> = inverse.unread;
    left.extend(inverse.conflicts.into_iter().map(|c| format!("{}: found {}", c.place, c.found)));
    if inverse.changes.is_empty() {
        return left;
    }
    if let Err(why) = target.write(&inverse.changes) {
        left.push(why.to_string());
    }
    match read_back(&inverse.changes, target) {
        Ok(()) => {}
        Err(why) => left.push(why.to_string()),
    }
    left
}

/// Reads every key and value that the changes name, and compares.
fn read_back(changes: &[KeyChange], target: &mut dyn Target) -> Result<(), Failure> {
    let expected = Expected::of(changes);
    let mut wrong = Vec::new();
    observe(target, |reader| wrong = expected.differences(reader))?;
    if wrong.is_empty() { Ok(()) } else { Err(Failure::ReadBack(wrong)) }
}

/// What keys and values are to be after all changes; a later change of the same one counts.
#[derive(Default)]
struct Expected {
    keys: BTreeMap<Key, bool>,
    properties: BTreeMap<Key, KeyProperties>,
    values: BTreeMap<(Key, ValueName), Option<Data>>,
    /// Those of them whose data is shown to nobody.
    sensitive: BTreeSet<(Key, ValueName)>,
}

impl Expected {
    fn of(changes: &[KeyChange]) -> Self {
        let mut expected = Self::default();
        for change in changes {
            expected.keys.insert(change.key.clone(), change.action != Action::Delete);
            match (&change.properties, change.action) {
                (Some(properties), Action::Create) => {
                    drop(expected.properties.insert(change.key.clone(), properties.clone()))
                }
                _ => drop(expected.properties.remove(&change.key)),
            }
            expected.sensitive.extend(change.sensitive.iter().map(|name| (change.key.clone(), name.clone())));
            for value in &change.values {
                expected.values.insert((change.key.clone(), value.name.clone()), value.after.clone());
            }
        }
        expected
    }

    fn differences(&self, reader: &Reader<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        for (key, exists) in &self.keys {
            match (reader.key(key), exists) {
                (Answer::Present(()), true) | (Answer::Absent, false) => {}
                (Answer::Present(()), false) => wrong.push(format!("{key} is still there")),
                (Answer::Absent, true) => wrong.push(format!("{key} is absent")),
                (Answer::Unread(why), _) => wrong.push(format!("{key}: {why}")),
            }
        }
        for (key, properties) in &self.properties {
            match reader.properties(key) {
                Answer::Present(found) if found.same(properties) => {}
                // The target has none, as an export.
                Answer::Unread(Unread { reason: Reason::Unknown, .. }) => {}
                _ => wrong.push(format!("{key} has not got back its class and security")),
            }
        }
        for (at, data) in &self.values {
            let (key, name) = at;
            let place = format!("{key} {}", notation::value_name(name));
            match reader.value(key, name).known() {
                Ok(found) if found == *data => {}
                Ok(found) => {
                    let text = |data: &Option<Data>| notation::message(data.as_ref(), self.sensitive.contains(at));
                    wrong.push(format!("{place}: wrote {}, found {}", text(data), text(&found)));
                }
                Err(why) => wrong.push(format!("{place}: {why}")),
            }
        }
        wrong
    }
}

impl Execution {
    /// The journal's file, where something was written.
    pub fn journal(&self) -> Option<&PathBuf> {
        match self {
            Self::Nothing => None,
            Self::Done(journal) | Self::Undone(journal, _) | Self::Incomplete(journal, ..) => Some(&journal.path),
        }
    }
}
