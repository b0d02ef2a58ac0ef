//! The warnings that count as failures.

use kbfix::diag::Code;

/// The warnings that count as failures.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct FailOnArguments {
    /// Exit with code 4 if there is this warning. `apply` then changes nothing. May be repeated.
    #[arg(long, value_name = "CODE", value_enum)]
    fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FailOn {
    /// Group Policy sets a value to other data, and undoes the change at its next refresh.
    PolicyOwned,
    /// It is not known whether Group Policy sets a value, because a policy store could not be read.
    PolicyUnknown,
}

impl FailOnArguments {
    /// Returns the codes of the warnings.
    pub(in crate::cli) fn codes(&self) -> Vec<Code> {
        let code = |one: &FailOn| match one {
            FailOn::PolicyOwned => Code::POLICY_OWNED,
            FailOn::PolicyUnknown => Code::POLICY_UNKNOWN,
        };
        self.fail_on.iter().map(code).collect()
    }
}
