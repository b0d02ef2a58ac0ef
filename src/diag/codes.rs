//! The codes of all diagnostics. `docs/diagnostics.md` has a section for each, which a test checks.

use schemars::JsonSchema;
use serde::Serialize;

/// A stable code, in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(with = "String")]
pub struct Code(&'static str);

impl Code {
    /// The code's text.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self($text);)*
        }

        /// Every code that there is.
        pub const CODES: &[Code] = &[$(Code::$name),*];
    };
}

codes! {
    /// The command line is wrong in a way that clap does not see.
    USAGE = "usage";
    /// A file cannot be read or written.
    FILE_ACCESS = "file-access";
    /// A spec that was named is no file, no folder and no built-in spec.
    SPEC_NOT_FOUND = "spec-not-found";
    /// No target is named.
    TARGET_MISSING = "target-missing";
    /// What is given as a target names none.
    TARGET_ADDRESS = "target-address";
    /// The target cannot be read.
    TARGET_UNREADABLE = "target-unreadable";
    /// The target's file is damaged, or not what it should be.
    TARGET_MALFORMED = "target-malformed";
    /// The target cannot do what is asked.
    TARGET_UNSUPPORTED = "target-unsupported";
    /// Another apply or rollback holds the target's lock.
    TARGET_LOCKED = "target-locked";
    /// A file is no plan.
    PLAN_INVALID = "plan-invalid";
    /// A plan was altered after it was made.
    PLAN_ALTERED = "plan-altered";
    /// A plan is not the one that was approved.
    PLAN_DIGEST = "plan-digest";
    /// A plan or journal is of another machine.
    PLAN_OTHER_MACHINE = "plan-other-machine";
    /// What a plan rests on has moved.
    PLAN_STALE = "plan-stale";
    /// The state folder or a journal cannot be read or written.
    JOURNAL_ACCESS = "journal-access";
    /// A journal is damaged.
    JOURNAL_MALFORMED = "journal-malformed";
    /// There is no journal to roll back.
    JOURNAL_MISSING = "journal-missing";
    /// A change could not be written.
    WRITE_FAILED = "write-failed";
    /// A rollback kept what somebody else changed.
    ROLLBACK_CONFLICT = "rollback-conflict";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}
