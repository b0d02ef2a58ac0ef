//! Arguments that several commands share.

pub(in crate::cli) mod fail_on;
pub(in crate::cli) mod fleet;
pub(in crate::cli) mod packages;
pub(in crate::cli) mod plans;
pub(in crate::cli) mod request;
pub(in crate::cli) mod specs;
pub(in crate::cli) mod targets;
