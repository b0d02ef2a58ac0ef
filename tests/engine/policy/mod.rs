//! Tests which policy owns a value, on a volume with policy stores. The expected owners do not come from the codec of
//! kbfix.

mod fleet;
mod machine;
mod owners;
mod saved;
mod stores;
mod through;
