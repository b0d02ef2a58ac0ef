//! kbfix keeps Windows machines in the state that a Microsoft Knowledge Base article asks for.
//!
//! The modules stand in the order in which data flows, and import only what stands above them:
//! a spec is read ([`spec`]), the target answers what the spec asks ([`target`]), and what is wrong with either is said
//! ([`diag`]).

pub mod registry;
pub mod version;
pub mod diag;
pub mod format;
pub mod target;
pub mod spec;
pub mod review;
