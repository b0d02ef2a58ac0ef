//! The report: what a command found or did, as one versioned document. The Ansible plugin reads nothing else.

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

/// What a command found or did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "kbfix report, version 1")]
pub struct Report {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_report: u32,
    /// The version of kbfix.
    pub kbfix_version: &'static str,
    /// The command.
    pub command: Command,
    /// The URI of the target; none where the command did not get that far.
    pub target: Option<String>,
    /// The machine that the target is, or is a copy of.
    pub machine: Machine,
    /// The worst outcome; none where the command did not get that far.
    pub outcome: Option<Outcome>,
    /// The command's exit code.
    #[schemars(with = "u8")]
    pub exit_code: Exit,
    /// Whether anything was written to the target and stayed there.
    pub changed: bool,
    /// What became of the changes that stand with the specs; none where there are none.
    pub changes_are: Option<ChangesAre>,
    /// The digest of the plan.
    pub digest: Option<String>,
    /// The text of the plan file, where `kbfix diff --with-plan` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// This report as Markdown, where `kbfix diff --with-markdown` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub markdown: Option<String>,
    /// One for each spec, in the order given.
    pub specs: Vec<SpecPlan>,
    /// What the target's event logs say of the specs' symptoms, where `kbfix diff --symptoms` asked for that; one for each
    /// spec. They decide no outcome.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub symptoms: Vec<SpecSymptoms>,
    /// What has to be restarted: by now after apply and rollback, once applied after diff.
    pub restart: Restart,
    /// The restart that the machine waited for already when its facts were read; none where no spec has use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_restart: Option<PendingRestart>,
    /// The journal's file, where something was written.
    pub journal: Option<String>,
    /// What was done beside the registry, in order.
    pub steps: Vec<Step>,
    /// What a rollback kept, since somebody else changed it.
    pub conflicts: Vec<Conflict>,
    /// What has moved since a plan was made.
    pub moved: Vec<Drift>,
    /// What stopped the command, and warnings.
    pub diagnostics: Vec<Diagnostic>,
}

/// What became of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangesAre {
    /// They are there to be made.
    Planned,
    /// They were made, and read back.
    Made,
    /// Writing failed, and everything was put back.
    Undone,
    /// Writing failed, and not everything could be put back.
    UndoneInPart,
}

/// The commands that report.
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
    /// A report of nothing yet.
    pub fn new(command: Command) -> Self {
        Self {
            kbfix_report: 1,
            kbfix_version: env!("CARGO_PKG_VERSION"),
            command,
            target: None,
            machine: Machine::default(),
            outcome: None,
            exit_code: Exit::Done,
            changed: false,
            changes_are: None,
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

    /// With the specs, and what follows from their outcomes.
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

    /// Returns the report of a plan that is not carried out.
    pub fn of_plan(plan: Plan, command: Command) -> Self {
        let digest = plan.digest();
        let mut report = Self::new(command).with_specs(plan.specs);
        report.target = Some(plan.target);
        report.machine = plan.machine;
        report.digest = Some(digest);
        report
    }

    /// Returns the report of a plan whose changes were all made before.
    pub fn of_applied_plan(mut plan: Plan, command: Command) -> Self {
        // That of what was reviewed, not of what is left of it.
        let digest = plan.digest();
        for spec in plan.specs.iter_mut().filter(|spec| spec.outcome == Outcome::ChangesPending) {
            spec.outcome = Outcome::InDesiredState;
            spec.reasons.push("the plan was already applied: each of its changes is in place".to_owned());
            spec.changes.clear();
            spec.named.iter_mut().for_each(|rule| rule.result = Truth::Met);
        }
        Self { digest: Some(digest), ..Self::of_plan(plan, command) }
    }

    /// Raises the exit code where there is a warning with one of these codes: the caller counts that as a failure.
    #[must_use]
    pub fn failing_on(mut self, codes: &[Code]) -> Self {
        if self.diagnostics.iter().any(|diagnostic| codes.contains(&diagnostic.code)) {
            self.exit_code = self.exit_code.max(Exit::Blocked);
        }
        self
    }

    /// Adds the places that a retirement keeps. What a look finds is no failure: nothing was tried.
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
        self.diagnostics.push(kept(&conflicts, None));
        self.conflicts = conflicts;
        self
    }

    /// Whether the package of a hotfix failed. Nothing was written to the registry then.
    pub fn package_failed(&self) -> bool {
        let failed = |step: &Step| step.action == StepKind::InstallHotfix && step.result == StepResult::Failed;
        self.steps.iter().any(failed)
    }

    /// What became of the changes that stand with the specs; none where there are none.
    pub(crate) fn changes_are(&self) -> Option<ChangesAre> {
        let with_changes = self.specs.iter().filter(|spec| !spec.changes.is_empty());
        with_changes.map(|spec| spec.outcome).max().map(|outcome| match outcome {
            Outcome::Changed => ChangesAre::Made,
            Outcome::RolledBack => ChangesAre::Undone,
            Outcome::Failed => ChangesAre::UndoneInPart,
            _ => ChangesAre::Planned,
        })
    }
}

/// That somebody else changed something since, and what there is to do. `older`: the journal before this one, where this one has
/// nothing more to put back.
pub(super) fn kept(conflicts: &[Conflict], older: Option<&str>) -> Diagnostic {
    let message = match conflicts.len() {
        1 => "1 place was changed by somebody else since the apply, and is kept".to_owned(),
        n => format!("{n} places were changed by somebody else since the apply, and are kept"),
    };
    let forcible = conflicts.iter().filter(|conflict| conflict.forcible).count();
    let by_hand = "force does not restore a key that contains what somebody else made, or whose parent is gone: correct that \
                   by hand, and roll back again";
    let mut hint = match forcible {
        0 => Hint::new(by_hand),
        n if n == conflicts.len() => Hint::new("restore it by hand, or use force").bare_option("force"),
        n => Hint::new(format!("force restores {n} of them; {by_hand}")).bare_option("force"),
    };
    if let Some(older) = older {
        hint = hint.and(&format!(". To leave it so and roll back the apply before it, name its journal: {older}"));
    }
    Diagnostic::warning(Code::ROLLBACK_CONFLICT, message).hint(hint)
}
