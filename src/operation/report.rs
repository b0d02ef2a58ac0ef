//! The report of a command, as one versioned document. The Ansible plugins read this document.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Code, Diagnostic, Exit, Hint},
    operation::{
        step::{Step, StepKind, StepResult},
        symptoms::SpecSymptoms,
    },
    plan::{Conflict, Machine, Outcome, PendingRestart, Plan, Restart, SpecPlan, Truth},
    spec::document::ComputerRestart,
    targets::Drift,
};

/// The results of a command.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix report, version 1")]
pub struct Report {
    /// The version of the format of reports: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_report: u32,
    /// The version of kbfix that wrote the report.
    pub kbfix_version: &'static str,
    /// The command that wrote the report.
    pub command: Command,
    /// The URI of the target; null if the command stopped before it knew the target.
    pub target: Option<String>,
    /// Whether values in the policy branches of `HKLM` are read and changed in the target's local GPO, and not in its
    /// registry.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub through_policy: bool,
    /// The identity of the machine that the target is, or is a copy of.
    pub machine: Machine,
    /// The worst outcome of all specs; null if the command stopped before it had one. It is `unknown` or worse if
    /// `unread_users` of a spec names a user, even if changes were made for other users.
    pub outcome: Option<Outcome>,
    /// The exit code of the command.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// Whether the target was changed and at least one change is still in place.
    pub changed: bool,
    /// The state of the changes that are listed in `specs`: planned, made, not made or undone; null if there are none.
    pub changes_are: Option<ChangesAre>,
    /// Whether the target refused the changes before the first of them was written.
    #[serde(skip)]
    pub is_refused: bool,
    /// The digest of the plan; null if the command has no plan.
    pub digest: Option<String>,
    /// The text of the plan file, if `kbfix diff --with-plan` requested it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// This report as Markdown, if `kbfix diff --with-markdown` requested it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
    /// The result of each spec, in the order in which the specs were given. After rollback and retire, one result for
    /// all their specs together.
    pub specs: Vec<SpecPlan>,
    /// The number of times that the symptoms of each spec occurred according to the target's event logs, if `kbfix diff
    /// --symptoms` requested it. The symptoms do not affect the outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<SpecSymptoms>,
    /// The necessary restarts. After apply, rollback and retire, the restarts are necessary now; after diff and after a
    /// dry run, once the changes are made.
    pub restart: Restart,
    /// Whether the machine was already waiting for a restart when its facts were read, and why; missing if no spec
    /// needs this information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_restart: Option<PendingRestart>,
    /// The path of the journal; null if this run wrote none.
    pub journal: Option<String>,
    /// The steps outside the registry that were done, tried or skipped (packages and services), in order.
    pub steps: Vec<Step>,
    /// The keys and values that a rollback or retirement kept, because someone else had changed them after the apply.
    pub conflicts: Vec<Conflict>,
    /// The facts that changed after the plan was made.
    pub moved: Vec<Drift>,
    /// The errors that stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// The state of the changes in a report: planned, made, not made or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangesAre {
    /// The changes are planned, and were not made.
    Planned,
    /// The changes were made and read back.
    Made,
    /// The target refused the changes before the first of them was written.
    NotMade,
    /// Writing or reading back failed, and everything was restored.
    Undone,
    /// Writing or reading back failed, and not everything could be restored.
    UndoneInPart,
}

/// The commands that write a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// `kbfix diff`
    Diff,
    /// `kbfix apply`
    Apply,
    /// `kbfix rollback`
    Rollback,
    /// `kbfix retire`
    Retire,
}

impl Report {
    /// Returns an empty report of this command.
    pub fn new(command: Command) -> Self {
        Self {
            kbfix_report: 1,
            kbfix_version: env!("CARGO_PKG_VERSION"),
            command,
            target: None,
            through_policy: false,
            machine: Machine::default(),
            outcome: None,
            exit_code: Exit::Done,
            changed: false,
            changes_are: None,
            is_refused: false,
            digest: None,
            plan: None,
            markdown: None,
            specs: Vec::new(),
            symptoms: Vec::new(),
            restart: Restart::together([]),
            pending_restart: None,
            journal: None,
            steps: Vec::new(),
            conflicts: Vec::new(),
            moved: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Sets `specs`, and the fields that follow from it: the outcome, the exit code, the restarts and the pending
    /// restart.
    #[must_use]
    pub fn with_specs(mut self, specs: Vec<SpecPlan>) -> Self {
        let outcome = specs.iter().map(SpecPlan::whole_outcome).max().unwrap_or(Outcome::InDesiredState);
        let code =
            specs.iter().map(|spec| spec.whole_outcome().exit().max(spec.outcome.exit())).max().unwrap_or(Exit::Done);
        self.outcome = Some(outcome);
        self.exit_code = code;
        let changed = |spec: &&SpecPlan| matches!(spec.outcome, Outcome::Changed | Outcome::ChangesPending);
        self.restart = Restart::together(specs.iter().filter(changed).map(|spec| &spec.restart));
        if specs.iter().any(|spec| spec.outcome == Outcome::PendingRestart) {
            self.restart.computer = ComputerRestart::Required;
        }
        self.pending_restart = PendingRestart::together(specs.iter().filter_map(|spec| spec.pending_restart.as_ref()));
        self.specs = specs;
        self
    }

    /// Returns the report of a plan that was not applied.
    pub fn of_plan(plan: Plan, command: Command) -> Self {
        let digest = plan.digest();
        let mut report = Self::new(command).with_specs(plan.specs);
        report.target = Some(plan.target);
        report.through_policy = plan.through_policy;
        report.machine = plan.machine;
        report.digest = Some(digest);
        report
    }

    /// Returns the report of a plan whose changes were all made earlier.
    pub fn of_applied_plan(mut plan: Plan, command: Command) -> Self {
        // Use the digest of the plan that was reviewed. The changes are removed below, so the digest would be different
        // then.
        let digest = plan.digest();
        for spec in plan.specs.iter_mut().filter(|spec| spec.outcome == Outcome::ChangesPending) {
            spec.outcome = Outcome::InDesiredState;
            spec.reasons.push("the plan was already applied: each of its changes is in place".to_owned());
            spec.changes.clear();
            spec.named.iter_mut().for_each(|rule| rule.result = Truth::Met);
        }
        Self { digest: Some(digest), ..Self::of_plan(plan, command) }
    }

    /// Raises the exit code to at least [`Exit::Blocked`] if there is a diagnostic with one of these codes.
    #[must_use]
    pub fn failing_on(mut self, codes: &[Code]) -> Self {
        if self.diagnostics.iter().any(|diagnostic| codes.contains(&diagnostic.code)) {
            self.exit_code = self.exit_code.max(Exit::Blocked);
        }
        self
    }

    /// Adds the keys and values that a retirement keeps because someone else has changed them, with a diagnostic. If
    /// there are any, the outcome becomes `failed`, or `blocked` if no change was tried (`is_tried` is false), unless
    /// it is already worse.
    #[must_use]
    pub(super) fn keeping(mut self, conflicts: Vec<Conflict>, is_tried: bool) -> Self {
        if conflicts.is_empty() {
            return self;
        }
        let outcome = if is_tried { Outcome::Failed } else { Outcome::Blocked };
        self.exit_code = self.exit_code.max(outcome.exit());
        self.outcome = self.outcome.max(Some(outcome));
        for spec in self.specs.iter_mut().filter(|spec| spec.outcome == Outcome::InDesiredState) {
            spec.outcome = Outcome::Blocked;
        }
        self.diagnostics.push(kept(&conflicts, self.command, None));
        self.conflicts = conflicts;
        self
    }

    /// Returns whether the package of a hotfix failed. If so, nothing was written to the registry.
    pub fn package_failed(&self) -> bool {
        let failed = |step: &Step| step.action == StepKind::InstallHotfix && step.result == StepResult::Failed;
        self.steps.iter().any(failed)
    }

    /// Returns whether the changes that are listed in `specs` are planned, made, not made or undone; `None` if there
    /// are no changes.
    pub(crate) fn changes_are(&self) -> Option<ChangesAre> {
        let with_changes = self.specs.iter().filter(|spec| !spec.changes.is_empty());
        with_changes.map(|spec| spec.outcome).max().map(|outcome| match outcome {
            Outcome::Changed => ChangesAre::Made,
            Outcome::RolledBack if self.is_refused => ChangesAre::NotMade,
            Outcome::RolledBack => ChangesAre::Undone,
            Outcome::Failed => ChangesAre::UndoneInPart,
            _ => ChangesAre::Planned,
        })
    }
}

/// Returns the diagnostic about the keys and values that a rollback or retirement keeps, because someone else has
/// changed them after the apply. The hint depends on `command`: `Diff` and `Apply` mean that the retirement is a saved
/// plan. `older` is the id of an older journal, which the hint suggests; `None` unless nothing else is left to roll
/// back.
pub(super) fn kept(conflicts: &[Conflict], command: Command, older: Option<&str>) -> Diagnostic {
    let who = match command {
        Command::Rollback => "someone else or a later apply",
        Command::Retire | Command::Diff | Command::Apply => "someone else",
    };
    let (message, it) = match conflicts.len() {
        1 => (format!("kbfix leaves 1 key or value as it is, because {who} has changed it since the apply"), "it"),
        n => (
            format!("kbfix leaves {n} keys or values as they are, because {who} has changed them since the apply"),
            "them",
        ),
    };
    let (with_force, again) = match command {
        Command::Rollback => ("roll back with force", "roll back again"),
        Command::Retire => ("retire with force", "retire again"),
        Command::Diff | Command::Apply => ("make the plan again with force", "make the plan again"),
    };
    let forcible = conflicts.iter().filter(|conflict| conflict.forcible).count();
    let by_hand = format!(
        "force does not restore a key in which someone else has created something, or whose parent key no longer \
         exists: correct this by hand, then {again}"
    );
    let mut hint = match forcible {
        0 => Hint::new(by_hand),
        n if n == conflicts.len() => Hint::new(format!("restore {it} by hand, or {with_force}")).bare_option("force"),
        n => Hint::new(format!("{with_force} to restore {n} of them; {by_hand}")).bare_option("force"),
    };
    if let Some(older) = older {
        hint = hint.and(&format!(
            ". To keep these changes and roll back the apply before this one, give its journal: {older}"
        ));
    }
    Diagnostic::warning(Code::ROLLBACK_CONFLICT, message).hint(hint)
}
