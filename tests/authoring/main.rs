//! What an author does with specs: import, export, show; each held against an independent reader or model.

mod cli;
mod editor;
mod export;
mod import;
mod install;
