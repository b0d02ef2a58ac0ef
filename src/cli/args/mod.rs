//! Arguments that several commands share.

pub(in crate::cli) mod fail_on;
pub(in crate::cli) mod fleet;
pub(in crate::cli) mod packages;
pub(in crate::cli) mod plans;
pub(in crate::cli) mod request;
pub(in crate::cli) mod source;
pub(in crate::cli) mod specs;
pub(in crate::cli) mod targets;

// The headings of these arguments in the help.
const SPECS: &str = "Options for the specs";
const PLAN: &str = "Options for a saved plan";
const ACTIONS: &str = "Options for hotfixes and triggers";
const TARGET: &str = "Options for the target";
const FLEET: &str = "Options for the fleet";
