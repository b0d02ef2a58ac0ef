//! The operation retire: undoes the changes that specs made to a target, except what other specs still require.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    apply::carry_out,
    error::Error,
    execute::StartError,
    journals::{Past, past},
    plan::undo_plan,
    progress::{Progress, changing, reading},
    report::{Command, Report},
    rollback::rehearsed,
};
use crate::{
    diag::{
        Code, Diagnostic, Exit, Hint,
        text::{first_few, suggest},
    },
    journal::{self, History, LiveSpec, RetirePlan, Store, plan_retire},
    observe::observe,
    plan::{Machine, Outcome, Plan, Retirement, SpecPlan},
    spec::{self, Settings, Spec},
    targets::{Address, Facts, Target},
};

/// The specs to retire.
#[derive(Debug, Clone)]
pub enum Retired {
    /// The specs with these ids.
    Ids(Vec<String>),
    /// All applied specs that the user did not give as specs to keep.
    Absent,
}

/// Options for a retirement.
#[derive(Debug, Clone, Copy, Default)]
pub struct RetireOptions {
    /// Whether to change nothing, and only show what would be undone.
    pub check: bool,
    /// Whether to restore also values that someone else has changed after kbfix.
    pub force: bool,
    /// Whether to skip an id that is in no journal of the target. If false, such an id is an error. A skipped id causes
    /// a warning if no given spec, no built-in spec and no other journal has this id.
    pub if_applied: bool,
    /// Whether to add the text of the plan file to the report.
    pub with_plan: bool,
}

/// Undoes the changes of the specs to retire, except what live specs require.
///
/// A spec in `given` is live if the journals show it as applied, or if the target is in the desired state of the spec.
/// A built-in spec that the journals show as applied is live even if it is not given.
///
/// # Errors
///
/// Returns an error only if nothing was changed. Errors after the first change are in the report.
pub fn retire(
    retired: &Retired,
    given: &[Spec],
    options: RetireOptions,
    address: Address,
    target: &mut dyn Target,
    store: &Store,
    progress: &mut impl Progress,
) -> Result<Report, Error> {
    // A dry run does not lock the target, because a lock needs the right to write.
    let _lock = if options.check { None } else { Some(target.lock()?) };
    let Past { history, machine, elsewhere } = past(&address, target, store)?;
    let mut warnings = Vec::new();
    let ids = match retired {
        Retired::Ids(ids) if options.if_applied => {
            let (mut applied, mut others) = (Vec::new(), Vec::new());
            for id in ids {
                match known(id, &history, &address, store) {
                    Ok(id) => applied.push(id),
                    Err(_) => others.push(id),
                }
            }
            warnings = unknown(&others, given, store)?;
            applied
        }
        Retired::Ids(ids) => ids.iter().map(|id| known(id, &history, &address, store)).collect::<Result<_, _>>()?,
        Retired::Absent => absent(given, &history),
    };
    let ids: Vec<String> =
        BTreeMap::from_iter(ids.into_iter().map(|id| (id.to_ascii_lowercase(), id))).into_values().collect();
    let Some(newest) = history.newest().filter(|_| !ids.is_empty()) else {
        return nothing(options, machine, target, warnings);
    };
    if let Some(id) = ids.iter().find(|id| elsewhere.has_only(id)) {
        return Err(Error::new(Exit::Refused, in_other_place(id, target.through_policy(), Diagnostic::error)));
    }
    let built_in = built_in(&history, &ids, given)?;
    let live = live(&history, &ids, given, &built_in);
    let mut found = RetirePlan::default();
    let mut machine = Machine::default();
    let mut facts = progress.during(&reading(target), || {
        observe(target, |reader| {
            machine = crate::plan::machine(reader);
            found = plan_retire(&history, &ids, &live, options.force, reader);
        })
    })?;
    if !found.other_parameters.is_empty() {
        return Err(other_parameters(&found.other_parameters));
    }
    found.kept.extend(ids.iter().filter_map(|id| hotfix_of(id, given)));
    found.sensitive.iter().for_each(|(key, name)| facts.hide(key, name));
    let restart = history.restart(&found.undo.changes);
    let retires = Retirement {
        specs: ids.clone(),
        kept_for: found.kept_for.iter().cloned().collect(),
        journal: newest.to_owned(),
        conflicts: found.undo.conflicts.clone(),
    };
    let spec = section(&ids, &found, restart);
    let plan = undo_plan(spec, Some(retires), machine, facts, target)?;
    let text = options.with_plan.then(|| plan.to_text());
    let is_stopped = !found.undo.unread.is_empty() || !found.obstacles.is_empty();
    // If nothing is left to undo or to record, there is no journal.
    let is_done = found.undo.changes.is_empty() && !ids.iter().any(|id| history.is_live(id));
    let looked = options.check || is_stopped || is_done;
    // A plan for later may be saved by an account that may only read the journals.
    if options.check && !options.with_plan && !is_stopped && !is_done {
        store.check(&address).map_err(StartError::Journal)?;
    }
    let mut report = if looked {
        rehearsed(plan, target, Command::Retire)
    } else {
        let what = changing(target);
        progress.during(&what, || carry_out(plan, journal::Operation::Retire, address, target, store))?
    };
    report.command = Command::Retire;
    report.plan = text;
    report.diagnostics.extend(warnings);
    let also = ids.iter().filter(|id| elsewhere.has(id));
    report.diagnostics.extend(also.map(|id| in_other_place(id, target.through_policy(), Diagnostic::warning)));
    Ok(report.keeping(found.undo.conflicts, !options.check && !is_stopped))
}

/// Returns the report of a retirement that finds no spec to retire. The plan in this report changes nothing.
fn nothing(
    options: RetireOptions,
    machine: Machine,
    target: &mut dyn Target,
    warnings: Vec<Diagnostic>,
) -> Result<Report, Error> {
    let facts = match options.with_plan {
        // The facts show for which machine the plan is.
        true => observe(target, |reader| drop(crate::plan::machine(reader)))?,
        false => Facts::default(),
    };
    let plan = Plan {
        kbfix_plan: 1,
        target: target.uri(),
        through_policy: target.through_policy(),
        machine,
        specs: Vec::new(),
        unsettled: Vec::new(),
        retires: None,
        facts,
    };
    let text = options.with_plan.then(|| plan.to_text());
    let mut report = Report::of_plan(plan, Command::Retire);
    report.digest = report.digest.filter(|_| text.is_some());
    (report.plan, report.diagnostics) = (text, warnings);
    Ok(report)
}

/// Returns the diagnostic that the spec changed policy values which this command does not restore. These values are in
/// the registry if `through_policy` is true, and in the local GPO if it is false.
fn in_other_place(id: &str, through_policy: bool, severity: fn(Code, String) -> Diagnostic) -> Diagnostic {
    let (place, hint) = match through_policy {
        true => {
            ("in the registry", "to restore these values, retire the spec again without the option for the local GPO")
        }
        false => {
            ("in the local GPO", "to restore these values, retire the spec again with the option for the local GPO")
        }
    };
    let message = format!("{id} changed policy values {place} of the target, which this command does not restore");
    severity(Code::OTHER_PLACE, message).hint(Hint::new(hint).bare_option("through-policy"))
}

/// Returns the id of a spec as the journals spell it; an error if no journal of the target contains the id.
fn known(id: &str, history: &History, address: &Address, store: &Store) -> Result<String, Error> {
    if let Some(known) = history.known().find(|known| known.eq_ignore_ascii_case(id)) {
        return Ok(known.to_owned());
    }
    let message = match store.missing() {
        Some(missing) => format!("no journal shows that {id} was applied to {}: {missing}", address.uri),
        None => format!("no journal in {} shows that {id} was applied to {}", store.root().display(), address.uri),
    };
    let hint: Hint = match (suggest(id, history.known()), history.known().next()) {
        (Some(meant), _) => format!("did you mean {meant}?").into(),
        (None, Some(_)) => {
            format!("the journals of this target contain these specs: {}", first_few(history.known())).into()
        }
        (None, None) => Hint::new(
            "there is no journal of this target and machine; give the same target and state folder as for the apply",
        )
        .option("state-dir", "DIR"),
    };
    Err(Error::new(Exit::Refused, Diagnostic::error(Code::JOURNAL_MISSING, message).hint(hint)))
}

/// Returns a warning for each id that no given spec, no built-in spec and no journal of any target has, because such an
/// id may be mistyped.
fn unknown(ids: &[&String], given: &[Spec], store: &Store) -> Result<Vec<Diagnostic>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (journals, _) = store.list()?;
    let of_journals = journals.iter().flat_map(|journal| &journal.header.specs).flat_map(|ids| ids.split('+'));
    let given = given.iter().map(|spec| &*spec.id);
    let mut all: BTreeSet<&str> = given.chain(of_journals).collect();
    // A loop, because `extend` would require that all ids live as long as the built-in ones.
    for id in spec::library::ids() {
        all.insert(id);
    }
    let is_unknown = |id: &&&String| !all.iter().any(|known| known.eq_ignore_ascii_case(id));
    let warning = |id: &&String| {
        let message =
            format!("no given spec, built-in spec or journal has the id {id}; nothing was retired for this id");
        let hint = match suggest(id, all.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "check the spelling of the id".to_owned(),
        };
        Diagnostic::warning(Code::RETIRE_UNKNOWN_ID, message).hint(hint)
    };
    Ok(ids.iter().filter(is_unknown).map(warning).collect())
}

/// Returns the ids of the applied specs that are not in `given`.
fn absent(given: &[Spec], history: &History) -> Vec<String> {
    let is_given = |id: &str| given.iter().any(|spec| spec.id.eq_ignore_ascii_case(id));
    history.live().into_iter().filter(|id| !is_given(id)).map(str::to_owned).collect()
}

/// Returns the applied built-in specs that are neither in `retired` nor in `given`. Fails if a spec that is not built
/// in is applied, but neither in `retired` nor in `given`.
fn built_in(history: &History, retired: &[String], given: &[Spec]) -> Result<Vec<Spec>, Error> {
    let is_here =
        |id: &str| retired.iter().chain(given.iter().map(|spec| &spec.id)).any(|one| one.eq_ignore_ascii_case(id));
    let mut specs = Vec::new();
    let mut missing = Vec::new();
    for id in history.live().into_iter().filter(|id| !is_here(id)) {
        let Some(bytes) = spec::library::find(id) else {
            missing.push(id);
            continue;
        };
        let loaded = spec::load(&format!("built-in {id}"), bytes, &Settings::for_validation());
        specs.extend(loaded.spec);
    }
    match missing.as_slice() {
        [] => Ok(specs),
        missing => {
            let (is, them, files) = match missing.len() {
                1 => ("is", "this spec", "its file"),
                _ => ("are", "these specs", "their files"),
            };
            let message =
                format!("{} {is} applied to this target, but {is} not given to this command", missing.join(", "));
            let hint = format!("retire {them} too; or, so that kbfix knows which settings to keep, name {files}");
            let hint = Hint::new(hint).option("specs", "SPEC");
            Err(Error::new(Exit::Refused, Diagnostic::error(Code::RETIRE_NEEDS_SPEC, message).hint(hint)))
        }
    }
}

/// Returns the error which says that these built-in specs were applied with other parameters than the defaults.
fn other_parameters(ids: &BTreeSet<String>) -> Error {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (was, is, its, them) = match ids.len() {
        1 => ("was", "is", "its", "this spec"),
        _ => ("were", "are", "their", "these specs"),
    };
    let message = format!(
        "{} {was} applied to this target with parameters that differ from the defaults, but {is} not given to this \
         command",
        ids.join(", ")
    );
    let hint = format!("so that kbfix knows which settings to keep, name {them}, and set {its} parameters again");
    let hint = ids.iter().fold(Hint::new(hint), |hint, id| hint.option("specs", *id)).option("set", "NAME=DATA");
    Error::new(Exit::Refused, Diagnostic::error(Code::RETIRE_NEEDS_SPEC, message).hint(hint))
}

/// Returns a note that the hotfix of the retired spec stays installed; `None` if the spec has no hotfix, or is neither
/// in `given` nor built in.
fn hotfix_of(id: &str, given: &[Spec]) -> Option<String> {
    let given = given.iter().find(|spec| spec.id.eq_ignore_ascii_case(id)).cloned();
    let load = |bytes| spec::load(id, bytes, &Settings::for_validation()).spec;
    let spec = given.or_else(|| spec::library::find(id).and_then(load))?;
    spec.hotfix.map(|hotfix| {
        format!("the hotfix of {id} ({}) stays if it is installed: kbfix never removes one", hotfix.title)
    })
}

/// Returns the specs that are not retired, in the order in which they were last applied. Specs that no journal shows as
/// applied come last.
fn live<'a>(history: &History, retired: &[String], given: &'a [Spec], built_in: &'a [Spec]) -> Vec<LiveSpec<'a>> {
    let order = history.live();
    let place = |spec: &Spec| order.iter().position(|id| spec.id.eq_ignore_ascii_case(id));
    let stays = |spec: &&Spec| !retired.iter().any(|id| spec.id.eq_ignore_ascii_case(id));
    let mut specs: Vec<&Spec> = given.iter().chain(built_in).filter(stays).collect();
    specs.sort_by_key(|spec| place(spec).unwrap_or(usize::MAX));
    let specs = specs.into_iter().map(|spec| LiveSpec {
        spec,
        is_applied: place(spec).is_some(),
        is_assumed: built_in.iter().any(|one| std::ptr::eq(one, spec)),
    });
    specs.collect()
}

fn section(ids: &[String], found: &RetirePlan, restart: crate::plan::Restart) -> SpecPlan {
    let undo = &found.undo;
    let is_stopped = !undo.unread.is_empty() || !found.obstacles.is_empty();
    let outcome = match () {
        () if !undo.unread.is_empty() || found.is_unknown => Outcome::Unknown,
        () if !found.obstacles.is_empty() => Outcome::Blocked,
        () if !undo.changes.is_empty() => Outcome::ChangesPending,
        // A retirement is recorded even if everything that the specs changed is kept.
        () => Outcome::InDesiredState,
    };
    let conflicts =
        undo.conflicts.iter().map(|c| format!("{}: someone else has changed it since, so it is kept", c.place));
    let reasons = undo.unread.iter().chain(&found.obstacles).cloned().chain(conflicts);
    let reasons = reasons.chain(found.kept.iter().filter(|_| !is_stopped).cloned());
    SpecPlan {
        id: ids.join("+"),
        title: "retire: restore the state before kbfix, except what other specs still require".to_owned(),
        sha256: String::new(),
        pending_restart: None,
        parameters: Default::default(),
        outcome,
        reasons: reasons.collect(),
        checks: Vec::new(),
        run_triggers: false,
        install: None,
        changes: if is_stopped { Vec::new() } else { undo.changes.clone() },
        by_star: 0,
        rules: None,
        named: Vec::new(),
        unread_users: Vec::new(),
        satisfied: Vec::new(),
        policy: Vec::new(),
        policy_unread: Vec::new(),
        manual_steps: Vec::new(),
        restart,
        unset: Vec::new(),
    }
}
