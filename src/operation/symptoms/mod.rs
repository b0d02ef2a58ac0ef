//! Counts symptoms: how often the events that articles describe were logged on a target, in total and since the last
//! apply.
//!
//! Symptoms are evidence and do not affect the outcome. If a log cannot be read, the result is unknown, never "no
//! event".

mod applies;
mod sentence;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    error::Error,
    plan::identify,
    progress::{Progress, reading_logs},
};
use crate::{
    diag::{Diagnostic, Exit},
    journal::Store,
    plan::Machine,
    spec::{Spec, document::Expectation},
    targets::{Answer, EventAnswer, EventFacts, EventQuery, Target, TargetError},
};

use applies::Last;
pub use applies::{LastApply, Retirement};

/// The symptoms of specs on a target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix symptoms, version 1")]
pub struct Symptoms {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_symptoms: u32,
    /// The version of kbfix that wrote the document.
    pub kbfix_version: &'static str,
    /// The URI of the target; null if the command stopped before it knew the target.
    pub target: Option<String>,
    /// The identity of the machine that the target is, or is a copy of.
    pub machine: Machine,
    /// The exit code of the command.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// The symptoms of each spec, in the order in which the specs were given.
    pub specs: Vec<SpecSymptoms>,
    /// The errors that stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The symptoms of one spec on a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SpecSymptoms {
    /// The spec's id.
    pub id: String,
    /// The article's title.
    pub title: String,
    /// The last apply of the spec to this machine that succeeded and was neither rolled back (not even in part) nor
    /// retired, according to the journals.
    pub last_apply: Answer<LastApply>,
    /// The retirement that undid the last apply of the spec to this machine, so that `last_apply` is absent; null if
    /// the spec was not retired, or was applied again since.
    pub retired: Option<Retirement>,
    /// Each symptom, in the order of the spec.
    pub symptoms: Vec<FoundSymptom>,
}

/// A symptom, with its events in the target's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FoundSymptom {
    /// The event that is the symptom: its log, its source, its id and, if the spec names one, its level.
    pub event: EventQuery,
    /// Whether the event is no longer logged after the remedy, or logged only after the remedy.
    pub expect: Expectation,
    /// A note from the spec for the operator.
    pub note: Option<String>,
    /// The events that were found in the log. Absent means that the target does not have this log.
    pub found: Answer<Seen>,
    /// The number of times that the event was logged before and since the last apply; null if there was no apply, if
    /// the target does not have the log, or if the log or the journals could not be read.
    pub apply: Option<AroundApply>,
    /// A sentence for people that contains the numbers of `found` and `apply`.
    pub sentence: String,
}

/// How often the event of a symptom is in the event log of the target, and when it was logged first and last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seen {
    /// The number of times that the event is in the log.
    pub count: u64,
    /// The time at which the first of these events was logged, as RFC 3339 in UTC; null if there is none.
    #[schemars(with = "Option<String>")]
    pub first: Option<Timestamp>,
    /// The time at which the last of these events was logged; null if there is none.
    #[schemars(with = "Option<String>")]
    pub last: Option<Timestamp>,
    /// The time at which the oldest event of any kind in the log was logged; null if the log is empty, or no event in
    /// it can be read.
    #[schemars(with = "Option<String>")]
    pub log_begins: Option<Timestamp>,
    /// The time at which the newest event of any kind in the log was logged; null if the log is empty, or no event in
    /// it can be read.
    #[schemars(with = "Option<String>")]
    pub log_ends: Option<Timestamp>,
    /// A description of the part of the log that could not be read; null if all was read. If present, the log may
    /// contain more of these events than were counted.
    pub damage: Option<String>,
}

/// The number of times that an event was logged before and since an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AroundApply {
    /// The number of events since the apply.
    pub since: u64,
    /// Whether there may be more events than `since` says, because only the times of the newest 1000 events are kept.
    pub or_more: bool,
    /// The number of events before the apply that are still in the log; 0 if `or_more` is true, because the number is
    /// then not known.
    pub before: u64,
    /// Whether the oldest event in the log is later than the apply, because the log was cleared or older events were
    /// overwritten.
    pub log_begins_after: bool,
    /// Whether any event, of any kind, was logged after the apply, or in the same second.
    pub logged_since: bool,
}

impl Symptoms {
    /// Returns a document without specs.
    pub fn new() -> Self {
        Self {
            kbfix_symptoms: 1,
            kbfix_version: env!("CARGO_PKG_VERSION"),
            target: None,
            machine: Machine::default(),
            exit_code: Exit::Done,
            specs: Vec::new(),
            diagnostics: Vec::new(),
        }
    }
}

impl Default for Symptoms {
    fn default() -> Self {
        Self::new()
    }
}

impl SpecSymptoms {
    /// Returns whether an event log could not be read completely, or the last apply is not known although the spec has
    /// symptoms.
    pub fn is_unknown(&self) -> bool {
        let is_unread = |symptom: &FoundSymptom| match &symptom.found {
            Answer::Present(seen) => seen.damage.is_some(),
            Answer::Absent => false,
            Answer::Unread(_) => true,
        };
        self.symptoms.iter().any(|symptom| is_unread(symptom) || matches!(self.last_apply, Answer::Unread(_)))
    }
}

/// Searches the event logs of a target for the symptoms of specs.
///
/// `store` is the state folder with the journals. Without it, no apply is known.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub fn symptoms(
    specs: &[Spec],
    target: &mut dyn Target,
    store: Option<&Store>,
    progress: &mut impl Progress,
) -> Result<Symptoms, Error> {
    let machine = identify(target)?;
    let (specs, diagnostics) = find(specs, &machine, target, store, progress)?;
    let exit_code = if specs.iter().any(SpecSymptoms::is_unknown) { Exit::Blocked } else { Exit::Done };
    Ok(Symptoms { target: Some(target.uri()), machine, exit_code, specs, diagnostics, ..Symptoms::new() })
}

/// Searches the event logs of the target for the symptoms of specs. `machine` is the identity of the target's machine.
/// Also returns warnings about journals.
pub(super) fn find(
    specs: &[Spec],
    machine: &Machine,
    target: &mut dyn Target,
    store: Option<&Store>,
    progress: &mut impl Progress,
) -> Result<(Vec<SpecSymptoms>, Vec<Diagnostic>), Error> {
    let queries = queries(specs);
    let answers = progress.during(&reading_logs(target), || ask(&queries, target))?;
    let applies = applies::Applies::read(store, machine, &target.uri());
    let found = |spec: &Spec| {
        let (last_apply, retired) = match applies.last(&spec.id) {
            Answer::Present(Last::Apply(apply)) => (Answer::Present(apply), None),
            Answer::Present(Last::Retirement(retirement)) => (Answer::Absent, Some(retirement)),
            Answer::Absent => (Answer::Absent, None),
            Answer::Unread(why) => (Answer::Unread(why), None),
        };
        let symptoms = spec.document.symptoms.iter().map(|symptom| {
            let event = query(&symptom.event);
            let at = queries.binary_search(&event).unwrap_or_default();
            let apply = match (&answers[at], &last_apply) {
                (Answer::Present(facts), Answer::Present(apply)) => Some(AroundApply::of(facts, apply.time)),
                _ => None,
            };
            let found = answers[at].as_ref().map(Seen::of);
            let (expect, note) = (symptom.expect.unwrap_or_default(), symptom.note.clone());
            let sentence = sentence::sentence(&event, &found, &last_apply, apply, retired.as_ref());
            FoundSymptom { event, expect, note, found, apply, sentence }
        });
        let symptoms = symptoms.collect();
        SpecSymptoms { id: spec.id.clone(), title: spec.title.clone(), last_apply, retired, symptoms }
    };
    Ok((specs.iter().map(found).collect(), applies.warnings))
}

/// Counts the events of the specs' symptoms in the target's event logs, for a snapshot.
///
/// # Errors
///
/// Fails if the target as a whole cannot be read.
pub fn events(specs: &[Spec], target: &mut dyn Target) -> Result<Vec<EventAnswer>, TargetError> {
    let queries = queries(specs);
    let answers = ask(&queries, target)?;
    Ok(queries.into_iter().zip(answers).map(|(event, found)| EventAnswer { event, found }).collect())
}

/// Returns the event queries of the specs' symptoms, sorted and without duplicates.
fn queries(specs: &[Spec]) -> Vec<EventQuery> {
    let all = specs.iter().flat_map(|spec| &spec.document.symptoms).map(|symptom| query(&symptom.event));
    Vec::from_iter(all.collect::<std::collections::BTreeSet<_>>())
}

fn query(event: &crate::spec::document::Event) -> EventQuery {
    EventQuery { log: event.log.clone(), source: event.source.clone(), id: event.id, level: event.level }
}

fn ask(queries: &[EventQuery], target: &mut dyn Target) -> Result<Vec<Answer<EventFacts>>, TargetError> {
    if queries.is_empty() { Ok(Vec::new()) } else { target.read_events(queries) }
}

impl Seen {
    fn of(facts: &EventFacts) -> Self {
        let EventFacts { count, first, last, log_begins, log_ends, damage, .. } = facts.clone();
        Self { count, first, last, log_begins, log_ends, damage }
    }
}

impl AroundApply {
    fn of(facts: &EventFacts, time: Timestamp) -> Self {
        let since = facts.since(time);
        Self {
            since: since.count,
            or_more: since.or_more,
            before: if since.or_more { 0 } else { facts.count - since.count },
            log_begins_after: facts.log_begins.is_some_and(|begins| begins > time),
            logged_since: facts.log_ends.is_some_and(|ends| ends.as_second() >= time.as_second()),
        }
    }
}

#[cfg(test)]
mod tests;
