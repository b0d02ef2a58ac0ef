//! The operation rollback: undoes the changes of one journal, for example of an apply.

use super::{
    apply::carry_out,
    error::{Error, SAME_FOLDER, place_hint},
    execute::StartError,
    plan::{PlanRefusal, Renamed, cannot_apply, other_place, same_machine, undo_plan},
    progress::{Progress, changing, reading},
    report::{Command, Report, kept},
};
use crate::{
    diag::{Code, Diagnostic, Exit, Hint, Severity},
    journal::{self, EventKind, Journal, Rollback, Status, Store, StoreError, plan_rollback},
    observe::observe_changed,
    plan::{Machine, Outcome, Plan, SpecPlan},
    registry::control_set,
    targets::{Address, Answer, Target, TargetError, Unread},
};

/// Options for a rollback.
#[derive(Debug, Clone, Copy, Default)]
pub struct RollbackOptions {
    /// Whether to change nothing, and only show what would be undone.
    pub check: bool,
    /// Whether to restore also values that someone else has changed after the apply.
    pub force: bool,
    /// Whether to roll back even if the computer name or MachineGuid differs from that in the journal.
    pub force_machine: bool,
}

/// Undoes the changes of `journal`: of an apply, a retirement or another rollback.
///
/// Keys and values that someone else has changed after the apply are kept and reported. With `options.force`, values
/// are restored in spite of this, but a key is never deleted if someone else has created something in it. `address` is
/// the address of the target. `older` is the id of an older journal. If this rollback has nothing to undo except what
/// it must keep, the report suggests to roll back `older`.
///
/// # Errors
///
/// Returns an error only if nothing was changed. Errors after the first change are in the report.
pub fn rollback(
    mut journal: Journal,
    older: Option<String>,
    options: RollbackOptions,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
    progress: &mut impl Progress,
) -> Result<Report, Error> {
    // A dry run does not lock the target, because a lock needs the right to write.
    let _lock = if options.check { None } else { Some(target.lock()?) };
    let through_policy = journal.header.target.through_policy;
    if through_policy != target.through_policy() || through_policy != address.through_policy {
        let diagnostic = Diagnostic::error(Code::OTHER_PLACE, other_place("journal", through_policy));
        return Err(Error::new(Exit::Refused, diagnostic.hint(place_hint(through_policy))));
    }
    let set = other_set(&journal, target)?;
    let number = set.as_ref().map(|set| set.number);
    let same = progress
        .during(&reading(target), || same_machine(&journal.header.machine, &journal.header.target.uri, number, target));
    let (was, is) = match same {
        Ok(None) => (None, None),
        Ok(Some(Renamed { was, is })) if address.uri == journal.header.target.uri => (Some(was), Some(is)),
        Ok(Some(Renamed { was, is })) | Err(PlanRefusal::OtherMachine { wanted: was, found: is })
            if options.force_machine =>
        {
            (Some(was), Some(is))
        }
        Ok(Some(Renamed { was, is })) | Err(PlanRefusal::OtherMachine { wanted: was, found: is }) => {
            return Err(other_machine(&journal, &was, &is));
        }
        Err(other) => return Err(other.into()),
    };
    let renamed = was.zip(is).map(|(was, is)| {
        let message = format!("the journal {} belongs to {was}, but this target is {is}", journal.header.id);
        let hint = "unless you force it, kbfix restores only keys and values that are still as the apply left them";
        Diagnostic::warning(Code::PLAN_OTHER_MACHINE, message).hint(hint)
    });
    let moved = set.map(|set| in_set(&mut journal, &set));
    let mut undo = Rollback::default();
    let mut machine = Machine::default();
    let facts = progress.during(&reading(target), || {
        observe_changed(target, &journal.header.changes, |reader| {
            machine = crate::plan::machine(reader);
            undo = plan_rollback(&journal.header.changes, options.force, reader);
        })
    })?;
    let could_act = !undo.changes.is_empty();
    let is_elsewhere = address.uri != journal.header.target.uri;
    let spec = section(&journal, &mut undo);
    // Only the events of the journal are needed below, and many changes take much memory.
    journal.header.changes = Vec::new();
    let plan = undo_plan(spec, None, machine, facts, target)?;
    let conflicts = undo.conflicts;
    let looked = options.check || !undo.unread.is_empty();
    if options.check && undo.unread.is_empty() && could_act {
        store.check(&address).map_err(StartError::Journal)?;
    }
    let mut report = if looked {
        rehearsed(plan, target, Command::Rollback)
    } else {
        let action = journal::Operation::Rollback(journal.header.id.clone());
        let what = changing(target);
        let report = progress.during(&what, || carry_out(plan, action, address, target, store))?;
        if report.outcome <= Some(Outcome::Blocked) {
            let event = if conflicts.is_empty() { EventKind::RolledBack } else { EventKind::RolledBackInPart };
            let is_news = conflicts.is_empty() || journal.status() != Status::RolledBackInPart;
            // At another address, for example on a copy of the machine, finding nothing to undo says nothing about the
            // machine that was changed.
            if could_act || (is_news && !is_elsewhere) {
                // If this cannot be recorded, the journal stays as it is. A second rollback then finds nothing to do.
                let _ = journal.add_rollback(event, report.journal.clone());
            }
        }
        report
    };
    report.command = Command::Rollback;
    if !conflicts.is_empty() {
        // Findings of a dry run are not failures, because nothing was tried.
        let outcome = if looked { Outcome::Blocked } else { Outcome::Failed };
        report.exit_code = report.exit_code.max(outcome.exit());
        report.outcome = report.outcome.max(Some(outcome));
        let older = older.filter(|_| !could_act);
        report.diagnostics.push(kept(&conflicts, Command::Rollback, older.as_deref()));
    }
    report.conflicts = conflicts;
    report.diagnostics.extend(renamed);
    report.diagnostics.extend(moved);
    Ok(report)
}

/// A control set to which an apply wrote, and which may not be the current one.
struct OtherSet {
    number: u16,
    /// The reason why it is not known whether this is the current control set; `None` if another control set is the
    /// current one.
    unread: Option<Unread>,
}

/// Returns the control set to which the apply wrote, if it is not (or perhaps not) the current one. Returns `None` if
/// it is the current one, if the journal names no control set, or if the target has no link to a current control set.
fn other_set(journal: &Journal, target: &mut dyn Target) -> Result<Option<OtherSet>, TargetError> {
    let Some(was) = journal.header.control_set else { return Ok(None) };
    Ok(match target.control_set()? {
        // A target without this link contains the key itself.
        Answer::Absent => None,
        Answer::Present(is) => (is != was).then_some(OtherSet { number: was, unread: None }),
        // The number of a control set always leads to it.
        Answer::Unread(why) => Some(OtherSet { number: was, unread: Some(why) }),
    })
}

/// Changes the keys of the journal from the current control set to the control set `other`, and returns a warning about
/// this.
fn in_set(journal: &mut Journal, other: &OtherSet) -> Diagnostic {
    for change in &mut journal.header.changes {
        change.key = change.key.in_control_set(other.number);
    }
    let set = control_set::name(other.number);
    let (message, hint) = match &other.unread {
        None => (
            format!("the apply wrote to {set}, which is no longer the current control set"),
            format!("the changes are rolled back in {set}; the current control set stays as it is"),
        ),
        Some(why) => (
            format!("the apply wrote to {set}; it is not known whether this is still the current control set: {why}"),
            format!("the changes are rolled back in {set}"),
        ),
    };
    Diagnostic::warning(Code::OTHER_CONTROL_SET, message).hint(hint)
}

fn other_machine(journal: &Journal, was: &str, is: &str) -> Error {
    let message = format!("the journal {} belongs to {was}, but this target is {is}", journal.header.id);
    let hint = "give the target that was changed, or leave the target out: the journal contains it. If the \
        same machine was renamed or prepared again (sysprep), confirm this";
    let hint = Hint::new(hint).bare_option("force-machine");
    Error::new(Exit::Refused, Diagnostic::error(Code::PLAN_OTHER_MACHINE, message).hint(hint))
}

/// Returns the report of a dry run. If the changes of the plan could not be written, the report contains an error.
pub(super) fn rehearsed(mut plan: Plan, target: &mut dyn Target, command: Command) -> Report {
    let refused = cannot_apply(&mut plan, target, Diagnostic::error);
    let mut report = Report::of_plan(plan, command);
    if let Some(refused) = refused {
        report.exit_code = report.exit_code.max(Outcome::RolledBack.exit());
        report.diagnostics.push(refused);
    }
    report
}

/// Returns the newest journal that can be rolled back, and the id of the next older journal that can be rolled back
/// (`None` if there is none). If `target` is given, only the journals of this target count. Journals older than these
/// two are not read.
///
/// Warns of each damaged file that is older than the newest of the two and newer than the other, if there is another.
///
/// # Errors
///
/// Fails if there is no such journal, if a damaged file may be a newer journal, or if the state folder cannot be read.
pub fn newest(
    store: &Store,
    target: Option<&Address>,
    progress: &mut impl Progress,
) -> Result<(Journal, Option<String>), Error> {
    let fits =
        |journal: &Journal| journal.can_be_rolled_back() && target.is_none_or(|t| journal.header.target.uri == t.uri);
    let mut found: Option<Journal> = None;
    for journal in store.newest_first()? {
        match journal {
            Ok(journal) if !fits(&journal) => {}
            Ok(journal) => match found {
                Some(found) => return Ok((found, Some(journal.header.id))),
                None => found = Some(journal),
            },
            // The hint of this error already says what to do.
            Err(why @ StoreError::Untrusted { .. }) if found.is_none() => return Err(why.into()),
            Err(why) if found.is_none() => {
                let hint = "it may belong to the newest apply: give the name of the journal that is to be rolled back \
                    (`kbfix journal list` lists the undamaged ones), or move the damaged file to another folder";
                return Err(Error::from(why).with_hint(hint));
            }
            Err(why) => {
                for mut warning in Error::from(why).diagnostics {
                    warning.severity = Severity::Warning;
                    progress.warn(&warning);
                }
            }
        }
    }
    found.map(|found| (found, None)).ok_or_else(|| {
        let of_target = target.map(|target| format!(" of the target {}", target.uri)).unwrap_or_default();
        let (message, hint) = match store.missing() {
            Some(missing) => (
                format!("no journal{of_target} can be rolled back: {missing}"),
                Hint::new(SAME_FOLDER).option("state-dir", "DIR"),
            ),
            None => (
                format!("no journal{of_target} in {} can be rolled back", store.root().display()),
                "`kbfix journal list` lists the journals".into(),
            ),
        };
        Error::new(Exit::Refused, Diagnostic::error(Code::JOURNAL_MISSING, message).hint(hint))
    })
}

fn section(journal: &Journal, undo: &mut Rollback) -> SpecPlan {
    let outcome = match (undo.unread.is_empty(), undo.changes.is_empty()) {
        (false, _) => Outcome::Unknown,
        (true, false) => Outcome::ChangesPending,
        (true, true) if !undo.conflicts.is_empty() => Outcome::Blocked,
        (true, true) => Outcome::InDesiredState,
    };
    let restart = journal::restart_of(&journal.header, &undo.changes);
    let kept = undo.conflicts.iter().map(|c| format!("{}: someone else has changed it since, so it is kept", c.place));
    SpecPlan {
        id: journal.header.specs.join("+"),
        title: format!("rollback of journal {}, made {}", journal.header.id, journal.header.made),
        sha256: String::new(),
        parameters: Default::default(),
        outcome,
        reasons: undo.unread.iter().cloned().chain(kept).collect(),
        checks: Vec::new(),
        run_triggers: false,
        install: None,
        changes: if undo.unread.is_empty() { std::mem::take(&mut undo.changes) } else { Vec::new() },
        by_star: 0,
        rules: None,
        named: Vec::new(),
        unread_users: Vec::new(),
        satisfied: Vec::new(),
        policy: Vec::new(),
        policy_unread: Vec::new(),
        manual_steps: Vec::new(),
        restart,
        pending_restart: None,
        unset: Vec::new(),
    }
}
