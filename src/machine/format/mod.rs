//! Readers and writers for the file formats that kbfix uses. They do not depend on specs or targets, and open no
//! files.

pub mod canonical;
pub mod event;
pub mod event_xml;
pub mod evt;
pub mod evtx;
pub mod gpt_ini;
pub mod json;
pub mod pe;
pub mod pol;
pub mod reg;
pub mod regf;
