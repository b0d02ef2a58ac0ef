//! kbfix keeps Windows machines in the state that a Microsoft Knowledge Base article asks for.
//!
//! The modules stand in the order in which data flows, and import only what stands above them:
//! a spec is read ([`spec`]), the target answers what the spec asks ([`target`], [`observe`]), the difference
//! becomes a plan ([`plan`]), the plan is written down ([`journal`]), carried out ([`apply`]) and shown ([`review`]).

pub mod format;
pub mod registry;
pub mod version;
