//! The argument `--fail-on`, which names warnings that make a command fail with exit code 4.

use kbfix::diag::Code;

/// The argument that names the warnings that make the command fail.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FailOnArguments {
    /// Exit with code 4 if kbfix reports the warning with this code. `apply` then changes nothing. `diff`, `fleet diff`
    /// and `fleet plan` still print the report, and save the plan if you gave --out. You can give this option several
    /// times.
    #[arg(long, value_name = "CODE", value_enum)]
    fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    /// Group Policy sets or deletes a value of the spec in another way than the spec requires. Group Policy will
    /// therefore undo the required state of this value at a later refresh, also if kbfix need not change the value now.
    PolicyOwned,
    /// It is not known whether Group Policy will undo the required state of a value, for example because a policy store
    /// could not be read.
    PolicyUnknown,
}

impl FailOnArguments {
    /// Returns the codes of the warnings that make the command fail.
    pub(in crate::cli) fn codes(&self) -> Vec<Code> {
        let code = |one: &FailOn| match one {
            FailOn::PolicyOwned => Code::POLICY_OWNED,
            FailOn::PolicyUnknown => Code::POLICY_UNKNOWN,
        };
        self.fail_on.iter().map(code).collect()
    }
}
